"""What every executor must do: evaluate everything once, take work as it can, and pass faults on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from denas_core.testing.check import Check, require
from denas_core.testing.samples.members import samples
from denas_core.testing.samples.surroundings import left_alone, silent
from denas_core.text import safe_repr
from denas_core.values.architecture import Architecture
from denas_core.values.trial import Evaluation

if TYPE_CHECKING:
    from denas_core.contracts.executor import Executor

ITEMS = 40
ENDLESS = 2000
MOST_IN_FLIGHT = 256
"""Items that an executor may take before it gives its first result."""


class EvaluationFailed(Exception):
    """What the evaluation raises in `faults_of_an_evaluation_come_through`."""


class WorkFailed(Exception):
    """What the work raises in `faults_of_the_work_come_through`."""


def evaluate(arch: Architecture) -> Evaluation:
    """Return an evaluation that says which architecture it is of."""
    return Evaluation(state="scored", components={"value": float(int(arch.key[:8], 16))})


def fail(arch: Architecture) -> Evaluation:
    """Raise `EvaluationFailed`."""
    raise EvaluationFailed("raised by the check")


def every_item_is_evaluated_once(executor: Executor) -> None:
    """Every item of the work gives one result."""
    work = _work(ITEMS)
    indices = sorted(index for index, _ in executor.run(evaluate, iter(work)))
    require(
        indices == [index for index, _ in work],
        f"the results of {ITEMS} items have the indices {safe_repr(indices)}; yield each index once",
    )


def results_are_those_of_the_evaluation(executor: Executor) -> None:
    """Every result is that of its own item."""
    expected = {index: evaluate(arch) for index, arch in _work(ITEMS)}
    for index, result in executor.run(evaluate, iter(_work(ITEMS))):
        require(
            result == expected.get(index),
            f"item {index} gives {safe_repr(result)} where evaluate() gives {safe_repr(expected.get(index))}; pass "
            "it on",
        )


def work_is_taken_as_it_can_be_done(executor: Executor) -> None:
    """It gives its first result long before it has taken all the work, which ends with the budget."""
    taken = 0

    def work() -> Iterator[tuple[int, Architecture]]:
        nonlocal taken
        for item in _work(ENDLESS):
            taken += 1
            yield item

    results = executor.run(evaluate, work())
    next(iter(results))
    if hasattr(results, "close"):
        results.close()
    require(
        taken <= MOST_IN_FLIGHT,
        f"{taken} items are taken before the first result; take as many as can run, and yield results meanwhile",
    )


def no_work_gives_no_results(executor: Executor) -> None:
    """Without work there are no results, and run() ends."""
    found = list(executor.run(evaluate, iter(())))
    require(not found, f"without work run() yields {safe_repr(found)}")


def it_runs_again(executor: Executor) -> None:
    """The next generation runs as the first did."""
    first, second = (dict(executor.run(evaluate, iter(_work(ITEMS)))) for _ in range(2))
    require(
        first == second,
        f"run() gives {len(first)} results and, called again, {len(second)} or other ones; a search runs it for each "
        "generation",
    )


def closing_twice_is_fine(executor: Executor) -> None:
    """close() may be called before any work, and again after it."""
    list(executor.run(evaluate, iter(_work(2))))
    for _ in range(2):
        try:
            executor.close()
        except Exception as error:
            require(
                False, f"close() raises {type(error).__name__}: {error}; close what is open, and nothing else"
            )


def faults_of_an_evaluation_come_through(executor: Executor) -> None:
    """What the evaluation raises reaches the one who takes the results."""
    try:
        found = list(executor.run(fail, iter(_work(2))))
    except Exception:
        return
    require(False, f"run() of an evaluation that raises gives {safe_repr(found)}; let the exception through")


def faults_of_the_work_come_through(executor: Executor) -> None:
    """What the work raises, such as an interruption, reaches the one who takes the results."""

    def work() -> Iterator[tuple[int, Architecture]]:
        yield from _work(2)
        raise WorkFailed("raised by the check")

    try:
        found = list(executor.run(evaluate, work()))
    except WorkFailed:
        return
    require(False, f"run() of work that raises gives {safe_repr(found)}; let the exception through")


def it_leaves_the_process_alone(executor: Executor) -> None:
    """Running work changes neither global random generators nor settings of torch nor the working directory."""
    with left_alone("run()"):
        list(executor.run(evaluate, iter(_work(ITEMS))))


def it_prints_nothing(executor: Executor) -> None:
    """Running work prints nothing."""
    with silent("run()"):
        list(executor.run(evaluate, iter(_work(ITEMS))))


def _work(count: int) -> list[tuple[int, Architecture]]:
    from denas_core.testing.samples.knobs import Conditional

    archs = samples(Conditional().named("sample/conditional"), min(count, ITEMS))
    return [(index, archs[index % len(archs)]) for index in range(count)]


EXECUTOR_CHECKS: tuple[Check, ...] = (
    every_item_is_evaluated_once,
    results_are_those_of_the_evaluation,
    work_is_taken_as_it_can_be_done,
    no_work_gives_no_results,
    it_runs_again,
    closing_twice_is_fine,
    faults_of_an_evaluation_come_through,
    faults_of_the_work_come_through,
    it_leaves_the_process_alone,
    it_prints_nothing,
)
