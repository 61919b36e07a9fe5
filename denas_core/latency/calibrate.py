"""Build the latency model of a space and a probe on this machine, or read it from the cache."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from denas_core.contracts.probe import LatencyProbe
    from denas_core.contracts.space import SearchSpace

    from .model import LatencyModel

SECONDS = 60.0


def calibrated_model(
    space: SearchSpace,
    probe: LatencyProbe,
    *,
    seed: int,
    device: str,
    threads: int,
    seconds: float = SECONDS,
    on_progress: Callable[[int, int], None] | None = None,
    fresh: bool = False,
) -> LatencyModel:
    """Return the latency model of a space and a probe on this machine.

    A model of the same space, probe, machine and settings in the cache is returned at once. Otherwise about 20 networks
    of the space are measured with the probe, fewer if `seconds` do not suffice, and the model is written to the cache.

    Args:
        space: The space.
        probe: Measures the networks.
        seed: Chooses the networks and their weights.
        device: ``cpu`` or ``cuda``.
        threads: Number of threads that torch may use.
        seconds: How long measuring may take.
        on_progress: Is called with the number of networks that are measured, and the number that will be.
        fresh: Measure again even if the cache has a model.

    Raises:
        NoResult: too few networks could be measured. The text has the reason of the first failure.
    """
    raise NotImplementedError
