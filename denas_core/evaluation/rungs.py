"""The rungs of a search: which finished candidates a new one is compared with, and whether it goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from denas_core.errors import PluginError
from denas_core.text import percent
from denas_core.values.contender import Rung
from denas_core.values.sample import sample_of
from denas_core.values.trial import Trial

from .scoring import LATENCY, Scoring, component_columns

PEERS = 20
"""Number of earlier candidates that a candidate is compared with: those that were evaluated last."""

FEWEST = 8
"""With fewer of them, every candidate goes on."""


def make_rungs(
    scoring: Scoring, finished: Sequence[Trial], *, share: float, knows_latency: bool
) -> tuple[Rung, ...]:
    """Return the rungs of the next generation: none if all components of every candidate are computed.

    Args:
        scoring: The components of the run.
        finished: The trials of all finished generations. The rungs depend on them alone, so that neither the number of
            workers nor a kill changes which candidates are cut.
        share: Share of the candidates that go on at each rung, see `Strategy.kept_share`.
        knows_latency: Whether the latency of a candidate is known before it is scored, because it is predicted.

    Raises:
        PluginError: the share is not above 0 and at most 1.
    """
    if not isinstance(share, int | float) or not 0 < share <= 1:
        raise PluginError(f"kept_share must be a number above 0 and at most 1, not {share!r}")
    if share == 1 or not finished:
        return ()
    sample = sample_of(finished) if scoring.uses_sample else []
    rungs, names = [], list[str]()
    for group in scoring.rungs[:-1]:
        names += group
        known = [LATENCY] if knows_latency and scoring.needs_latency else []
        peers = [trial for trial in finished if trial.evaluation.components.keys() >= set(names)][-PEERS:]
        rungs.append(
            Rung(
                peers=component_columns([*names, *known], peers if len(peers) >= FEWEST else []),
                sample=component_columns([*names, *known], sample) if sample else None,
                share=share,
            )
        )
    return tuple(rungs)


def explain_cut(
    scoring: Scoring, rung: Rung, components: Mapping[str, float], metrics: Mapping[str, float]
) -> str:
    """Return why a candidate does not go on after a rung; an empty text if it does.

    It goes on if the peers whose combined value is better are a smaller share of them than the one that goes on.

    Args:
        scoring: The components of the run.
        rung: The rung.
        components: The values of the candidate on this rung.
        metrics: Its metrics, with the latency if that is predicted.

    Raises:
        PluginError: the components cannot be combined.
    """
    count = len(rung)
    if not count:
        return ""
    own = {name: components[name] if name != LATENCY else metrics["latency_ms"] for name in rung.peers}
    columns = {name: [*values, own[name]] for name, values in rung.peers.items()}
    *others, value = scoring.combine_columns(columns, rung.sample)
    better = sum(other > value for other in others)
    if better < rung.share * count:
        return ""
    names = ", ".join(rung.peers)
    best = percent(rung.share)
    return f"after {names}: {better} of the last {count} candidates are better, and the best {best} go on"
