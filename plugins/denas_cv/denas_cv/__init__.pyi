"""What other plugins and programs may import from `denas_cv`."""

from .cnn.space import CNN as CNN
from .loading import load as load
from .vit.space import ViT as ViT
