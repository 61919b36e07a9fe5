"""The names of the trackers, and whether they are installed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from denas_core.errors import ConfigError, did_you_mean
from denas_core.system.extras import require_extra

TrackerName = Literal["tensorboard", "mlflow", "wandb", "trackio"]

TRACKERS: tuple[TrackerName, ...] = get_args(TrackerName)


def check_trackers(names: Sequence[str]) -> None:
    """Check that trackers are known and installed. None of them is imported.

    Raises:
        ConfigError: a tracker is unknown or not installed. The text says what to install.
    """
    for name in names:
        if name not in TRACKERS:
            raise ConfigError(
                f"tracker {name!r} is not one of {', '.join(TRACKERS)}{did_you_mean(name, TRACKERS)}"
            )
        # An extra and a module have the name of their tracker.
        require_extra(name, "accelerate", name, purpose=f"tracker {name!r}")
