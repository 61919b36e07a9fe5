"""What other plugins and programs may import from `denas_nlp`."""

from .bert.space import Bert as Bert
from .glue.tasks import SST2 as SST2
from .loading import load as load
from .squad.best import best_answers as best_answers
