"""What other plugins and programs may import from `denas_scores`."""

from .de_score import combine_as_original as combine_as_original
from .saliency import Saliency as Saliency
