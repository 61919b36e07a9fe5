"""What every component promises whenever one of its methods is called, whatever its kind.

Each kind says how its methods are called: its suite yields `Call` and `Loan` objects, and the checks of this file try
them. A property of calls is therefore written once.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import io
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from denas_core.isolation.guard import restored
from denas_core.testing.check import Check, CheckSkipped, Sampler, check, fail
from denas_core.testing.samples.difference import brief, difference
from denas_core.testing.samples.surroundings import empty_directory, other_seeds, readings

SEEDS = 3
"""Seeds under which a method that draws is called."""


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """A method of a component, as a search or a training calls it.

    Attributes:
        name: The method, as an error names it, such as ``sample()``.
        run: Calls it with arguments that a seed decides, and returns the result.
        repeats: Whether equal seeds give equal results; False for what is measured.
        draws: Whether another seed gives another result.
    """

    name: str
    run: Callable[[int], Any]
    repeats: bool = True
    draws: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Loan:
    """A call of a method with objects that others use after it.

    Attributes:
        name: The method, as an error names it.
        run: Calls it.
        state: Reads what the objects hold, by the name of each part.
    """

    name: str
    run: Callable[[], Any]
    state: Callable[[], Mapping[Any, Any]]


@check
def it_leaves_the_process_alone(component: Any, calls: Sequence[Call]) -> None:
    """It changes no random generator, setting of torch, warning, environment variable or directory of the process."""
    for call in calls:
        # Under other seeds than anybody sets, so that seeding twice is seen too.
        with other_seeds(), empty_directory(component):
            before, files = readings(), os.listdir()  # noqa: PTH208
            call.run(0)
            after = readings()
            if changed := [name for name, state in before.items() if after[name] != state]:
                fail(f"{call.name} changes {' and '.join(changed)}; draw from the seed, put back what is set")
            if left := [name for name in os.listdir() if name not in files]:  # noqa: PTH208
                fail(f"{call.name} leaves {brief(left)} in the working directory; use tempfile for files")


@check
def it_prints_nothing(component: Any, calls: Sequence[Call]) -> None:
    """It prints nothing to standard output, which belongs to the command that runs."""
    for call in calls:
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            call.run(0)
        if printed.getvalue():
            fail(f"{call.name} prints {brief(printed.getvalue())}; remove it, or use the logging module")


@check
def it_repeats(component: Any, calls: Sequence[Call]) -> None:
    """Equal arguments give equal results, whatever was called before, in any directory and under any global seed."""
    calls = [call for call in calls if call.repeats]
    forwards = [call.run(0) for call in calls]
    with other_seeds(), empty_directory(component):
        backwards = [call.run(0) for call in reversed(calls)]
    for call, first, second in zip(calls, forwards, reversed(backwards), strict=True):
        if found := difference(first, second, "the result"):
            fail(f"{call.name} does not repeat: {found}; draw from the seed, keep nothing between calls")


@check
def another_seed_gives_another_result(component: Any, calls: Sequence[Call]) -> None:
    """What it draws depends on the seed that it is given."""
    varies: dict[str, bool] = {}
    for call in calls:
        if call.draws and not varies.get(call.name):
            first, *others = [call.run(seed) for seed in range(SEEDS)]
            varies[call.name] = any(difference(first, other) for other in others)
    if not varies:
        raise CheckSkipped("it draws nothing")
    if same := [name for name, is_other in varies.items() if not is_other]:
        fail(f"{' and '.join(same)} gives the same for seeds 0 to {SEEDS - 1}; draw from the seed given")


@check
def it_leaves_its_arguments_alone(component: Any, loan: Loan) -> None:
    """It changes nothing that it is given and that others use after it."""
    before = {name: _copied(value) for name, value in loan.state().items()}
    loan.run()
    if found := difference(before, dict(loan.state())):
        fail(f"{loan.name} changes what it is given: {found}; others use it too, so work on a copy")


def checks_of_calls(
    calls: Sampler, loans: Sampler | None = None, *, draws: bool = False
) -> tuple[Check, ...]:
    """Return the checks of this file for one kind of component.

    Args:
        calls: Yields sequences of calls, which are made one after the other.
        loans: Yields loans; None for a kind that is given nothing which it could change.
        draws: Whether components of the kind may draw from a seed.
    """
    on_calls = [it_leaves_the_process_alone, it_prints_nothing, it_repeats]
    on_calls += [another_seed_gives_another_result] if draws else []
    found = [dataclasses.replace(each, samples=_restoring(calls)) for each in on_calls]
    if loans is not None:
        found.append(dataclasses.replace(it_leaves_its_arguments_alone, samples=_restoring(loans)))
    return tuple(found)


def _restoring(samples: Sampler) -> Sampler:
    """Return a sampler that undoes what making samples changes, since a second call may change nothing more."""

    def each(component: Any, spaces: tuple[Any, ...]) -> Iterator[Any]:
        found = iter(samples(component, spaces))
        while True:
            with restored():
                sample = next(found, None)
            if sample is None:
                return
            yield sample

    return each


def _copied(value: Any) -> Any:
    # A tensor within a graph cannot be copied deeply.
    return value.detach().clone() if hasattr(value, "detach") else copy.deepcopy(value)
