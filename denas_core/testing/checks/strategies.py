"""What every strategy must do: propose new architectures as a function of history and seed, and nothing else."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from denas_core.contracts.problem import Problem
from denas_core.contracts.strategy import History
from denas_core.testing.check import Check, CheckSkipped, require
from denas_core.testing.samples.members import require_inside, samples
from denas_core.testing.samples.surroundings import left_alone, silent
from denas_core.text import safe_repr
from denas_core.values.architecture import Architecture
from denas_core.values.trial import Evaluation, State, Trial

if TYPE_CHECKING:
    from denas_core.contracts.space import SearchSpace
    from denas_core.contracts.strategy import Strategy
    from denas_core.values.objectives import Constraint

COUNT = 12
SMALL = 64
"""Settings up to which a space is small enough to be exhausted."""


def generation_size_is_positive(strategy: Strategy, spaces: Sequence[SearchSpace]) -> None:
    """Its generations have at least one proposal."""
    size: Any = strategy.generation_size
    is_size = isinstance(size, int) and not isinstance(size, bool) and size >= 1
    require(is_size, f"generation_size is {size!r}; it must be a whole number >= 1")


def proposals_are_inside(strategy: Strategy, spaces: Sequence[SearchSpace]) -> None:
    """Every proposal is an architecture of the space."""
    for space in spaces:
        for history in _histories(space):
            for arch in _ask(strategy, Problem(space), history):
                require_inside(space, arch, "ask()")


def proposals_are_as_many_as_wanted(strategy: Strategy, spaces: Sequence[SearchSpace]) -> None:
    """It proposes some architectures while there are new ones, and never more than are wanted."""
    for space in spaces:
        for history in _histories(space):
            for count in (1, 3, COUNT):
                found = len(_ask(strategy, Problem(space), history, count=count))
                require(
                    found <= count,
                    f"ask(count={count}) returns {found} architectures; return at most as many as wanted",
                )
            if space.size() > 10 * len(history.trials):
                require(
                    found > 0,
                    f"ask() returns nothing although most of {space.id} is new; that ends the search",
                )


def proposals_are_distinct(strategy: Strategy, spaces: Sequence[SearchSpace]) -> None:
    """No two proposals of a generation are the same architecture."""
    for space in spaces:
        for history in _histories(space):
            keys = [arch.key for arch in _ask(strategy, Problem(space), history)]
            require(
                len(set(keys)) == len(keys),
                f"ask() proposes {len(keys)} architectures of which {len(set(keys))} differ; use propose_distinct",
            )


def proposals_are_new(strategy: Strategy, spaces: Sequence[SearchSpace]) -> None:
    """No proposal is in the history."""
    for space in spaces:
        for history in _histories(space):
            known = history.keys()
            again = [arch for arch in _ask(strategy, Problem(space), history) if arch.key in known]
            require(
                not again,
                f"ask() proposes {len(again)} architectures of the history again; use propose_distinct",
            )


def asking_repeats(strategy: Strategy, spaces: Sequence[SearchSpace]) -> None:
    """Asked again with the same history and seed it proposes the same, and so does a new one with its options."""
    from denas_core.registry.options import make_component

    for space in spaces:
        for history in _histories(space):
            first = _ask(strategy, Problem(space), history)
            again = _ask(strategy, Problem(space), history)
            fresh = make_component(type(strategy), strategy.options(), id=strategy.id)
            for other, which in ((again, "asked again"), (_ask(fresh, Problem(space), history), "a new one")):
                require(
                    first == other,
                    f"it proposes {_shown(first)} and, {which}, {_shown(other)}; keep no state, and draw from the seed",
                )


def asking_another_seed_gives_others(strategy: Strategy, spaces: Sequence[SearchSpace]) -> None:
    """Under another seed it makes other proposals; a strategy that enumerates has to skip this."""
    found = {
        tuple(arch.key for arch in _ask(strategy, Problem(space), History(), seed=seed))
        for space in spaces
        for seed in range(4)
    }
    require(
        len(found) > len(spaces),
        "its proposals are the same under seeds 0 to 3; draw from the seed, or skip this check if it enumerates",
    )


def exhaustion_ends(strategy: Strategy, spaces: Sequence[SearchSpace]) -> None:
    """In a space where everything is known it proposes nothing, and where little is left no more than that."""
    for space in _small(spaces):
        members = _members(space)
        found = _ask(strategy, Problem(space), History(), count=len(members) + 10)
        require(
            0 < len(found) <= len(members),
            f"asked for {len(members) + 10} of {len(members)} architectures it proposes {len(found)}; stop where "
            "there is nothing new",
        )
        rest = _ask(strategy, Problem(space), _history(members))
        require(not rest, f"with every architecture known it proposes {_shown(rest)}; return an empty list")


def failures_do_not_stop_it(strategy: Strategy, spaces: Sequence[SearchSpace]) -> None:
    """It goes on where every trial so far has failed, or is infeasible."""
    states: tuple[State, ...] = ("failed", "infeasible")
    for space in spaces:
        for state in states:
            try:
                found = strategy.ask(Problem(space), _history(_known(space), (state,)), count=COUNT, seed=0)
            except Exception as error:
                require(
                    False,
                    f"with {state} trials alone ask() raises {type(error).__name__}: {error}; do without scores",
                )
            require(bool(found), f"with {state} trials alone it proposes nothing, which ends the search")


def constraints_are_kept(strategy: Strategy, spaces: Sequence[SearchSpace]) -> None:
    """Its proposals keep constraints on parameters, where the space can be repaired."""
    for space in spaces:
        problem = Problem(space, [_bound(space)])
        for history in _histories(space):
            broken = [arch for arch in _ask(strategy, problem, history) if problem.violations(arch)]
            require(
                not broken,
                f"{len(broken)} proposals break {problem.constraints[0]}; use propose_distinct, or problem.repair",
            )


def histories_are_left_alone(strategy: Strategy, spaces: Sequence[SearchSpace]) -> None:
    """ask() does not change the history."""
    for space in spaces:
        for history in _histories(space):
            before = list(history.trials), list(history.ranked), dict(history.values)
            _ask(strategy, Problem(space), history)
            after = list(history.trials), list(history.ranked), dict(history.values)
            require(
                before == after, "ask() changes the history; copy a list before you sort it or take from it"
            )


def spaces_without_ends_are_searched(strategy: Strategy, spaces: Sequence[SearchSpace]) -> None:
    """It searches a space that knows neither its smallest nor its full architecture."""
    from denas_core.testing.samples.knobs import Endless

    space = Endless().named("sample/endless")
    try:
        found = strategy.ask(Problem(space, [_bound(space)]), History(), count=COUNT, seed=0)
    except Exception as error:
        require(
            False,
            f"where smallest() and full() are None ask() raises {type(error).__name__}: {error}; do without them",
        )
    require(bool(found), "where smallest() and full() are None it proposes nothing; do without them")


def it_leaves_the_process_alone(strategy: Strategy, spaces: Sequence[SearchSpace]) -> None:
    """ask() changes neither global random generators nor the working directory."""
    for space in spaces:
        for history in _histories(space):
            with left_alone("ask()"):
                _ask(strategy, Problem(space), history)


def it_prints_nothing(strategy: Strategy, spaces: Sequence[SearchSpace]) -> None:
    """ask() prints nothing."""
    for space in spaces:
        with silent("ask()"):
            _ask(strategy, Problem(space), History())


def _ask(
    strategy: Strategy, problem: Problem, history: History, *, count: int = COUNT, seed: int = 0
) -> list[Architecture]:
    return list(strategy.ask(problem, history, count=count, seed=seed))


def _histories(space: SearchSpace) -> list[History]:
    states: tuple[State, ...] = ("scored", "scored", "infeasible", "failed")
    return [_history(()), _history(_known(space), states)]


def _known(space: SearchSpace) -> list[Architecture]:
    return list({arch.key: arch for arch in samples(space, 8)}.values())


def _history(archs: Sequence[Architecture], states: Sequence[State] = ("scored",)) -> History:
    trials = []
    for index, arch in enumerate(archs):
        state = states[index % len(states)]
        evaluation = Evaluation(
            state=state,
            reason="" if state == "scored" else f"{state} by the check",
            components={"value": float(index)} if state == "scored" else {},
            metrics={"params": 10 + index, "flops": 20 + index},
            violation=1.0 + index if state == "infeasible" else 0.0,
        )
        trials.append(Trial(index=index, generation=0, arch=arch, evaluation=evaluation))
    order: dict[State, int] = {"scored": 0, "infeasible": 1, "failed": 2}
    ranked = sorted(trials, key=lambda trial: (order[trial.evaluation.state], trial.index))
    values = {trial.arch.key: -float(trial.index) for trial in trials if trial.is_scored}
    return History(trials=trials, ranked=ranked, values=values)


def _small(spaces: Sequence[SearchSpace]) -> list[SearchSpace]:
    found = [space for space in spaces if space.size() <= SMALL]
    if not found:
        raise CheckSkipped(f"none of the spaces has at most {SMALL} settings")
    return found


def _members(space: SearchSpace) -> list[Architecture]:
    rng = random.Random(0)
    drawn = (space.sample(rng) for _ in range(100 * space.size()))
    return list({arch.key: arch for arch in drawn}.values())


def _bound(space: SearchSpace) -> Constraint:
    from denas_core.values.objectives import Constraint

    counts = sorted(space.cost(arch)["params"] for arch in samples(space, 9))
    return Constraint("params", True, counts[len(counts) // 2])


def _shown(archs: Sequence[Any]) -> str:
    return safe_repr([arch.as_dict() if isinstance(arch, Architecture) else arch for arch in archs])


STRATEGY_CHECKS: tuple[Check, ...] = (
    generation_size_is_positive,
    proposals_are_inside,
    proposals_are_as_many_as_wanted,
    proposals_are_distinct,
    proposals_are_new,
    asking_repeats,
    asking_another_seed_gives_others,
    exhaustion_ends,
    failures_do_not_stop_it,
    constraints_are_kept,
    histories_are_left_alone,
    spaces_without_ends_are_searched,
    it_leaves_the_process_alone,
    it_prints_nothing,
)
