"""What other plugins and programs may import from `denas_hf`."""

from .bounds import Bounds as Bounds
from .family import Family as Family
from .network import build_network as build_network
from .original import Dimensions as Dimensions
from .original import Original as Original
from .resized import ResizedModels as ResizedModels
from .space import Auto as Auto
from .start import Start as Start
