"""What tests of plugins may import from `denas_core.testing`."""

from .check import CheckFailed as CheckFailed
from .check import CheckSkipped as CheckSkipped
from .classes import CombinedScoreTests as CombinedScoreTests
from .classes import ExecutorTests as ExecutorTests
from .classes import ExporterTests as ExporterTests
from .classes import ProbeTests as ProbeTests
from .classes import RunExporterTests as RunExporterTests
from .classes import ScoreTests as ScoreTests
from .classes import SpaceTests as SpaceTests
from .classes import StrategyTests as StrategyTests
from .classes import TaskTests as TaskTests
from .samples.spaces import SampleCNN as SampleCNN
from .samples.spaces import SampleMLP as SampleMLP
from .samples.spaces import SampleTransformer as SampleTransformer
from .samples.spaces import sample_spaces as sample_spaces
