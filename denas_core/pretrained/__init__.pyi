"""What search spaces with a checkpoint may import from `denas_core.pretrained`."""

from .checkpoint import Pretrained as Pretrained
from .files import CheckpointFiles as CheckpointFiles
from .files import read_json as read_json
from .inheritance import By as By
from .inheritance import Choice as Choice
from .inheritance import choose as choose
from .inheritance import inherited as inherited
from .inheritance import member_importance as member_importance
from .inheritance import take as take
from .layout import Axis as Axis
from .layout import Layout as Layout
from .layout import Placed as Placed
from .memory import check_fits as check_fits
from .silence import silent_transformers as silent_transformers
from .stored import Stored as Stored
from .stored import StoredWeights as StoredWeights
from .stored import TensorFiles as TensorFiles
from .streaming import stream as stream
from .tokenizer import tokenizer_json as tokenizer_json
