"""What exporters, probes and commands may import from `denas_core.models`."""

from .deployable import Deployable as Deployable
from .deployable import DeployableNetwork as DeployableNetwork
from .deployable import deployable_network as deployable_network
from .deployable import deployable_stages as deployable_stages
from .deployable import dimension_names as dimension_names
from .deployable import fresh_network as fresh_network
from .deployable import traced as traced
from .export import describe_inputs as describe_inputs
from .export import export_model as export_model
from .export import file_facts as file_facts
from .find import find_model as find_model
from .loaded_stages import LoadedStage as LoadedStage
from .loaded_stages import run_stages as run_stages
from .trained import build_network as build_network
