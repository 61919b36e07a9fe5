"""What every executor promises: it evaluates all of the work once, as it can be done, and lets exceptions through."""

from __future__ import annotations

from collections.abc import Iterator

from denas_core.contracts.executor import Demand, Executor
from denas_core.errors import ConfigError
from denas_core.testing.check import CheckSkipped, ForTheCheck, check, fail, must_succeed
from denas_core.testing.samples.difference import brief
from denas_core.testing.samples.knobs import Conditional
from denas_core.testing.samples.members import samples
from denas_core.values.architecture import Architecture
from denas_core.values.contender import Contender, Rung
from denas_core.values.trial import Evaluation

from .calls import Call

ITEMS = 40
ENDLESS = 2000
MOST_IN_FLIGHT = 256
"""Items that an executor may take before it gives its first result."""


def evaluate(arch: Architecture) -> Evaluation:
    """Return an evaluation that says which architecture it is of."""
    return Evaluation(state="scored", components={"value": float(int(arch.key[:8], 16))})


def evaluate_rungs(arch: Architecture) -> Evaluation:
    """Return an evaluation that says how many rungs an architecture has, and with how many others they compare."""
    rungs = arch.rungs if isinstance(arch, Contender) else ()
    return Evaluation(
        state="scored", components={"rungs": float(len(rungs)), "peers": float(sum(map(len, rungs)))}
    )


def evaluate_nothing(arch: Architecture) -> Evaluation:
    """Raise `ForTheCheck`."""
    raise ForTheCheck("raised by the check")


def calls(executor: Executor, spaces: object = ()) -> Iterator[list[Call]]:
    """Yield how a search calls an executor, one generation after the other."""
    _open(executor)
    yield [Call("run()", lambda seed: dict(executor.run(evaluate, iter(_work(ITEMS)))))] * 2


@check
def every_item_gives_its_result_once(executor: Executor) -> None:
    """Every item of the work gives one result, which is that of its own evaluation."""
    _open(executor)
    results = list(executor.run(evaluate, iter(_work(ITEMS))))
    indices = sorted(index for index, _ in results)
    if indices != list(range(ITEMS)):
        fail(f"the results of {ITEMS} items have the indices {brief(indices)}; yield each index once")
    expected = {index: evaluate(arch) for index, arch in _work(ITEMS)}
    for index, result in results:
        if result != expected[index]:
            fail(f"item {index} gives {brief(result)}, not {brief(expected[index])}; pass on its own result")


@check
def an_item_arrives_whole(executor: Executor) -> None:
    """An evaluation gets the item of the work itself, also one that says with what its architecture is compared."""
    _open(executor)
    rung = Rung(peers={"value": [1.0, None]}, sample=None, share=0.5)
    items = [(index, Contender.of(arch, (rung,) * index)) for index, arch in _work(4)]
    found = dict(executor.run(evaluate_rungs, iter(items)))
    for index, item in items:
        if found.get(index) != (expected := evaluate_rungs(item)):
            fail(
                f"item {index} gives {brief(found.get(index))}, not {brief(expected)}; hand over the item itself"
            )


@check
def work_is_taken_as_it_can_be_done(executor: Executor) -> None:
    """It gives its first result long before it has taken all the work, which ends with the budget."""
    _open(executor)
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
    if taken > MOST_IN_FLIGHT:
        fail(f"{taken} items are taken before the first result; take as many as can run at once")


@check
def no_work_gives_no_results(executor: Executor) -> None:
    """Without work there are no results, and run() ends."""
    _open(executor)
    if found := list(executor.run(evaluate, iter(()))):
        fail(f"without work run() yields {brief(found)}; yield nothing")


@check
def closing_twice_is_fine(executor: Executor) -> None:
    """close() may be called after work, and again after that."""
    _open(executor)
    list(executor.run(evaluate, iter(_work(2))))
    for _ in range(2):
        with must_succeed("close()", "close what is open, and nothing else"):
            executor.close()


@check
def exceptions_come_through(executor: Executor) -> None:
    """What an evaluation or the work raises, such as an interruption, reaches the code that reads the results."""
    _open(executor)

    def work() -> Iterator[tuple[int, Architecture]]:
        yield from _work(2)
        raise ForTheCheck("raised by the check")

    for what, evaluation, items in (
        ("an evaluation", evaluate_nothing, iter(_work(2))),
        ("work", evaluate, work()),
    ):
        try:
            found = list(executor.run(evaluation, items))
        except ForTheCheck:
            continue
        fail(f"run() of {what} that raises gives {brief(found)}; let the exception through")


def _open(executor: Executor) -> None:
    try:
        executor.open(Demand())
    except ConfigError as error:
        raise CheckSkipped(f"it cannot run as its options say: {error}") from error


def _work(count: int) -> list[tuple[int, Architecture]]:
    archs = samples(Conditional().named("sample/conditional"), min(count, ITEMS))
    return [(index, archs[index % len(archs)]) for index in range(count)]
