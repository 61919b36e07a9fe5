"""Computing the components of a score for one candidate, all of them or rung by rung."""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections.abc import Mapping, Sequence

from denas_core.contracts.candidate import Candidate
from denas_core.contracts.score import ProxyScore
from denas_core.errors import ScoreFailed
from denas_core.isolation.guard import guarded
from denas_core.seeding import derive_seed
from denas_core.text import describe_error, one_line
from denas_core.values.contender import Rung
from denas_core.values.number import coerce_score

from .kept_options import KeptOptions
from .rungs import explain_cut
from .scoring import Scoring


@dataclasses.dataclass(slots=True, kw_only=True)
class Computed:
    """What was computed of the components of a candidate.

    Attributes:
        values: Values by component, until the first failure or the rung on which the candidate was cut.
        seconds: Wall-clock seconds by component.
        failure: The reason of the first failure; empty if there was none.
        cut: Why the other components were not computed; empty if the candidate passed every rung.
    """

    values: dict[str, float] = dataclasses.field(default_factory=dict)
    seconds: dict[str, float] = dataclasses.field(default_factory=dict)
    failure: str = ""
    cut: str = ""


def compute(
    candidate: Candidate, components: Mapping[str, ProxyScore], *, seed: int, found: Computed | None = None
) -> Computed:
    """Compute components until one fails. Errors of a score do not raise; they are the reason of the failure.

    Args:
        candidate: The candidate.
        components: The components by name.
        seed: The run's seed.
        found: What was computed before, to which these components are added; by default nothing.
    """
    found = Computed() if found is None else found
    shared = KeptOptions([candidate.space, *components.values()])
    for name, component in components.items():
        start = time.perf_counter()
        try:
            with guarded(derive_seed(seed, "score", name, candidate.arch.key)):
                value = component.measure(candidate)
                found.values[name] = coerce_score(value)
            if changed := candidate.changed() or shared.restore():
                del found.values[name]
                found.failure = f"{name}: changed {changed}, which all scores share"
        except ScoreFailed as error:
            found.failure = f"{name}: {one_line(error) or 'failed, and does not say why'}"
        except MemoryError:
            found.failure = f"{name}: out of memory"
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            found.failure = f"{name}: crashed: {describe_error(error)}"
        finally:
            shared.restore()
        if found.failure:
            break
        found.seconds[name] = time.perf_counter() - start
    return found


def compute_on_rungs(
    candidate: Candidate,
    components: Mapping[str, ProxyScore],
    scoring: Scoring,
    rungs: Sequence[Rung],
    *,
    metrics: Mapping[str, float],
    seed: int,
) -> Computed:
    """Compute one group of components after the other, until the candidate is cut on a rung.

    Args:
        candidate: The candidate. Its network and its passes are kept from one rung to the next.
        components: The components by name.
        scoring: The groups of components, and how they are combined.
        rungs: The rung after each group but the last.
        metrics: Metrics of the candidate, with the latency if that is predicted.
        seed: The run's seed.
    """
    found = Computed()
    for names, rung in itertools.zip_longest(scoring.rungs, rungs):
        compute(candidate, {name: components[name] for name in names}, seed=seed, found=found)
        if found.failure or rung is None:
            break
        try:
            with guarded():
                found.cut = explain_cut(scoring, rung, found.values, metrics)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            found.failure = f"{', '.join(found.values)}: cannot be compared: {describe_error(error)}"
        if found.failure or found.cut:
            break
    return found
