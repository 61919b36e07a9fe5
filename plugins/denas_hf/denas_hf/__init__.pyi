"""What other plugins and programs may import from `denas_hf`."""

from .bounds import Bounds as Bounds
from .checkpoint_options import CheckpointOptions as CheckpointOptions
from .deriving.derivation import derive as derive
from .family import Family as Family
from .modality import AUDIO as AUDIO
from .modality import IMAGE as IMAGE
from .modality import SPECTROGRAM as SPECTROGRAM
from .modality import SPEECH_TO_TEXT as SPEECH_TO_TEXT
from .modality import TEXT_TO_TEXT as TEXT_TO_TEXT
from .network import build_network as build_network
from .opening import open_checkpoint as open_checkpoint
from .original import Dimensions as Dimensions
from .original import Original as Original
from .resized import ResizedModels as ResizedModels
from .space import Auto as Auto
from .start import Start as Start
from .weights import load_weights as load_weights
