"""What every strategy promises: it proposes new architectures of the space, decided by history and seed alone."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator, Sequence
from typing import Any

from denas_core.contracts.problem import Problem
from denas_core.contracts.space import SearchSpace
from denas_core.contracts.strategy import History, Strategy
from denas_core.testing.check import check, check_on, fail, must_succeed
from denas_core.testing.samples.difference import difference
from denas_core.testing.samples.knobs import Endless
from denas_core.testing.samples.members import require_inside, samples
from denas_core.values.architecture import Architecture
from denas_core.values.objectives import Constraint
from denas_core.values.trial import STATES, Evaluation, State, Trial

from .calls import Call, Loan

COUNT = 12
SMALL = 64
"""Settings up to which a space is small enough to be exhausted."""

MIXED: tuple[State, ...] = ("scored", "scored", "cut", "infeasible", "failed")


@dataclasses.dataclass(frozen=True)
class Case:
    """A question to a strategy: a space and what is known of it."""

    strategy: Strategy
    space: SearchSpace
    history: History

    def ask(self, *constraints: Constraint, count: int = COUNT, seed: int = 0) -> list[Architecture]:
        """Return what the strategy proposes."""
        problem = Problem(self.space, list(constraints))
        return list(self.strategy.ask(problem, self.history, count=count, seed=seed))

    def call(self) -> Call:
        """Return the question as a call."""
        return Call("ask()", lambda seed: self.ask(seed=seed), draws=True)

    def loan(self) -> Loan:
        """Return the question with the history, which others use too."""
        history = self.history
        return Loan(
            "ask()",
            self.ask,
            lambda: {
                "trials": list(history.trials),
                "ranked": list(history.ranked),
                "values": history.values,
            },
        )


def cases(strategy: Strategy, spaces: tuple[SearchSpace, ...]) -> list[Case]:
    """Return each space with nothing known of it, and with trials that were scored, cut, infeasible or failed."""
    return [
        Case(strategy, space, history)
        for space in spaces
        for history in (_history(()), _history(_distinct(samples(space, 8)), MIXED))
    ]


def calls(strategy: Strategy, spaces: tuple[SearchSpace, ...]) -> Iterator[list[Call]]:
    """Yield how a search calls a strategy."""
    yield [case.call() for case in cases(strategy, spaces)]


def loans(strategy: Strategy, spaces: tuple[SearchSpace, ...]) -> Iterator[Loan]:
    """Yield the calls of a strategy with a history that others use too."""
    yield from (case.loan() for case in cases(strategy, spaces))


@check
def generation_size_is_positive(strategy: Strategy) -> None:
    """Its generations have at least one proposal."""
    size: Any = strategy.generation_size
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        fail(f"generation_size is {size!r}; it must be a whole number >= 1")


@check_on(cases)
def proposals_are_inside(strategy: Strategy, case: Case) -> None:
    """Every proposal is an architecture of the space."""
    for arch in case.ask():
        require_inside(case.space, arch, "ask()")


@check_on(cases)
def proposals_are_as_many_as_wanted(strategy: Strategy, case: Case) -> None:
    """It proposes some architectures while there are new ones, and never more than are wanted."""
    for count in (1, 3, COUNT):
        found = len(case.ask(count=count))
        if found > count:
            fail(f"ask(count={count}) returns {found} architectures; return at most as many as wanted")
    if not found and case.space.size() > 10 * len(case.history.trials):
        fail(f"ask() returns nothing although most of {case.space.id} is new; that ends the search")


@check_on(cases)
def proposals_are_new(strategy: Strategy, case: Case) -> None:
    """No proposal is in the history, and no two of a generation are the same architecture."""
    keys = [arch.key for arch in case.ask()]
    known = case.history.keys() & set(keys)
    if known or len(set(keys)) < len(keys):
        fail(f"of {len(keys)} proposals {len(known)} known, {len(set(keys))} distinct; use propose_distinct")


@check_on(cases)
def resumed_searches_get_the_same(strategy: Strategy, case: Case) -> None:
    """A new strategy with the same options proposes the same, since a resumed search makes a new one."""
    from denas_core.registry.options import make_component

    new = make_component(type(strategy), strategy.options(), id=strategy.id)
    if found := difference(case.ask(), dataclasses.replace(case, strategy=new).ask(), "the result"):
        fail(f"ask() of another strategy with the same options differs: {found}; keep no state")


@check_on(lambda strategy, spaces: [space for space in spaces if space.size() <= SMALL])
def exhaustion_ends(strategy: Strategy, space: SearchSpace) -> None:
    """In a space where everything is known it proposes nothing, and where little is left no more than that."""
    rng = random.Random(0)
    members = _distinct([space.sample(rng) for _ in range(100 * space.size())])
    wanted = len(members) + 10
    found = len(Case(strategy, space, History()).ask(count=wanted))
    if not 0 < found <= len(members):
        fail(f"asked for {wanted} of {len(members)} architectures it proposes {found}; stop without new ones")
    if rest := Case(strategy, space, _history(members)).ask():
        fail(f"with every architecture known it proposes {len(rest)} more; return an empty list")


@check_on(lambda strategy, spaces: spaces)
def failures_do_not_stop_it(strategy: Strategy, space: SearchSpace) -> None:
    """It goes on where every trial so far has failed, or is infeasible."""
    states: tuple[State, ...] = ("failed", "infeasible")
    for state in states:
        with must_succeed(f"with {state} trials alone ask()", "do without scores"):
            found = Case(strategy, space, _history(_distinct(samples(space, 8)), (state,))).ask()
        if not found:
            fail(f"with {state} trials alone it proposes nothing, which ends the search; do without scores")


@check_on(cases)
def constraints_are_kept(strategy: Strategy, case: Case) -> None:
    """Its proposals keep constraints on parameters, where the space can be repaired."""
    bound = _bound(case.space)
    problem = Problem(case.space, [bound])
    if broken := [arch for arch in case.ask(bound) if problem.violations(arch)]:
        fail(f"{len(broken)} proposals break {bound}; use propose_distinct, or problem.repair")


@check
def spaces_without_ends_are_searched(strategy: Strategy) -> None:
    """It searches a space that knows neither its smallest nor its full architecture."""
    space = Endless().named("sample/endless")
    with must_succeed("where smallest() and full() are None ask()", "do without them"):
        found = Case(strategy, space, History()).ask(_bound(space))
    if not found:
        fail("where smallest() and full() are None it proposes nothing; do without them")


def _distinct(archs: Sequence[Architecture]) -> list[Architecture]:
    return list({arch.key: arch for arch in archs}.values())


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
    ranked = sorted(trials, key=lambda trial: (STATES.index(trial.evaluation.state), trial.index))
    values = {trial.arch.key: -float(trial.index) for trial in trials if trial.is_scored}
    return History(trials=trials, ranked=ranked, values=values)


def _bound(space: SearchSpace) -> Constraint:
    counts = sorted(space.cost(arch)["params"] for arch in samples(space, 9))
    return Constraint("params", True, counts[len(counts) // 2])
