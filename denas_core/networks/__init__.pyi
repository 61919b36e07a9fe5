"""What search spaces may import from `denas_core.networks`."""

from .cost import count_cost as count_cost
from .layered import LARGEST_CHOICES as LARGEST_CHOICES
from .layered import check_choices as check_choices
from .layered import format_tuple as format_tuple
from .layered import is_tuple as is_tuple
from .layered import layered_knobs as layered_knobs
from .layered import parse_tuple as parse_tuple
from .pieces import Piece as Piece
from .pieces import pieces_of_blocks as pieces_of_blocks
from .pieces import pieces_of_choices as pieces_of_choices
from .tokens import token_batch as token_batch
from .tokens import token_lengths as token_lengths
