"""Importance: which heads, neurons, features and layers of a checkpoint a smaller network keeps."""

from __future__ import annotations

import dataclasses
import importlib.metadata
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from denas_core.errors import ConfigError, PluginError, describe_error, did_you_mean

if TYPE_CHECKING:
    from torch import Tensor, nn

    from denas_core import Batch, Outputs
    from denas_core.pretrained import Axis
    from denas_hf.original import Original

GROUP = "denas_hf.importance"
"""Group of the entry points with which plugins add classes of importance."""

LEADING, MAGNITUDE = "leading", "magnitude"
"""``leading`` keeps the first members; ``magnitude`` keeps those whose weights have the largest norm."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What an importance sees.

    Attributes:
        network: The network with the weights of the checkpoint, in eval mode. An importance leaves the weights as they
            are.
        original: Its sizes, and the axes of its weights.
        batches: Calibration batches.
        forward: Runs a network on a batch.
    """

    network: nn.Module
    original: Original
    batches: Sequence[Batch]
    forward: Callable[[nn.Module, Batch], Outputs]


class Importance(ABC):
    """Gives each member of each axis a number. A network keeps the members with the largest numbers.

    A plugin names a subclass in an entry point of the group ``denas_hf.importance``. The name of the entry point is the
    value of the option ``inherit``. A subclass takes no arguments.
    """

    @abstractmethod
    def members(self, checkpoint: Checkpoint) -> Mapping[Axis, Tensor]:
        """Return the numbers of the members of some axes, each (members,).

        The members of an axis that is missing here are chosen by the norm of their weights. The result must be the same
        in every process.
        """


def check_importance(name: str) -> None:
    """Check that there is an importance of this name.

    Raises:
        ConfigError: there is none.
    """
    known = [LEADING, MAGNITUDE, *_OWN, *(entry.name for entry in _entries())]
    if name not in known:
        hint = did_you_mean(name, known)
        raise ConfigError(f"there is no importance {name!r:.60}{hint or '; choose from ' + ', '.join(known)}")


def importance_of(name: str) -> Importance:
    """Return the importance of this name, which is neither ``leading`` nor ``magnitude``.

    Raises:
        PluginError: the plugin of the importance does not load, or provides something else.
    """
    from .activation import Activation, Contribution
    from .taylor import Taylor

    own: dict[str, type[Importance]] = {
        "activation": Activation,
        "contribution": Contribution,
        "taylor": Taylor,
    }
    if name in own:
        return own[name]()
    entry = next(entry for entry in _entries() if entry.name == name)
    try:
        found = entry.load()()
    # The code of a plugin may raise any exception.
    except Exception as error:
        raise PluginError(
            f"importance {name!r} ({entry.value}) does not load: {describe_error(error)}"
        ) from error
    if not isinstance(found, Importance):
        raise PluginError(f"importance {name!r} ({entry.value}) is not a subclass of Importance")
    return found


_OWN = ("activation", "contribution", "taylor")


def _entries() -> Sequence[importlib.metadata.EntryPoint]:
    return tuple(importlib.metadata.entry_points(group=GROUP))
