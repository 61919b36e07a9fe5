"""What a strategy proposes for a generation, checked."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from denas_core.contracts.strategy import History, propose_random
from denas_core.errors import PluginError
from denas_core.evaluation.rungs import make_rungs
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.seeding import derive_seed
from denas_core.setup.setup import Setup
from denas_core.values.architecture import Architecture
from denas_core.values.contender import Contender
from denas_core.values.trial import Trial


def propose(
    setup: Setup, finished: Sequence[Trial], generation: int, *, count: int | None = None
) -> list[Architecture]:
    """Return the proposals for a generation, of the strategy or at random. They depend only on the arguments.

    Args:
        setup: The objects of the search.
        finished: The trials of all earlier generations, which are complete. Neither the order of results nor a kill
            changes proposals, because a strategy gets only complete generations.
        generation: Number of the generation.
        count: The size of the generation; by default what the strategy wants.

    Raises:
        PluginError: the strategy fails, or proposes too many or known architectures.
    """
    ranked, values = setup.scoring.rank(finished)
    history = History(trials=finished, ranked=ranked, values=values)
    strategy = setup.strategy
    seed = derive_seed(setup.config.seed, "generation", generation)
    with plugin_errors(f"strategy {strategy.id!r}"):
        count = strategy.generation_size if count is None else count
        # A score that uses a random sample gets it from the first generation, whatever the strategy.
        is_sample = generation == 0 and setup.scoring.uses_sample
        ask = propose_random if is_sample else strategy.ask
        asked = ask(setup.problem, history, count=count, seed=seed)
        # A strategy may return an endless iterator, so only one proposal too many is taken.
        proposals = list(itertools.islice(asked, count + 1))
        if len(proposals) > count:
            raise ValueError(f"it proposes more than the {count} asked for")
    known = history.keys()
    fresh = {arch.key: arch for arch in proposals if isinstance(arch, Architecture) and arch.key not in known}
    if len(fresh) < len(proposals):
        raise PluginError(
            f"strategy {strategy.id!r}: {len(proposals) - len(fresh)} of {len(proposals)} proposals are not "
            "architectures, or are known already"
        )
    return list(fresh.values())


def with_rungs(
    setup: Setup, finished: Sequence[Trial], proposals: Sequence[Architecture]
) -> Sequence[Architecture]:
    """Return the proposals of a generation with the rungs that each of them must pass, if the strategy cuts any.

    Args:
        setup: The objects of the search.
        finished: The trials of all earlier generations, which are complete.
        proposals: The proposals.

    Raises:
        PluginError: the strategy has a share that is not above 0 and at most 1.
    """
    strategy = setup.strategy
    with plugin_errors(f"strategy {strategy.id!r}"):
        rungs = make_rungs(
            setup.scoring,
            finished,
            share=strategy.kept_share,
            knows_latency=setup.problem.predicts("latency_ms"),
        )
    return [Contender.of(arch, rungs) for arch in proposals] if rungs else proposals
