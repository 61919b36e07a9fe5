"""What plugins may import from `denas_core.builtin`, for components that derive from one of the core."""

from .compiled import Compile as Compile
from .cuda_events import CudaEvents as CudaEvents
from .evolution import Evolution as Evolution
from .exporters.huggingface import HuggingFace as HuggingFace
from .exporters.safetensors_files import Safetensors as Safetensors
from .exporters.torch_export import TorchExport as TorchExport
from .local_search import LocalSearch as LocalSearch
from .nsga2 import NSGA2 as NSGA2
from .process import Process as Process
from .queue import Queue as Queue
from .random_search import RandomSearch as RandomSearch
from .regularized_evolution import RegularizedEvolution as RegularizedEvolution
from .serial import Serial as Serial
from .successive_halving import SuccessiveHalving as SuccessiveHalving
from .wall_clock import WallClock as WallClock
