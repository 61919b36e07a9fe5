"""Scoring the networks of a table under several seeds, as a search scores its candidates."""

from __future__ import annotations

import dataclasses
import functools
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from denas_core.contracts.executor import Demand, Executor
from denas_core.contracts.problem import Problem
from denas_core.contracts.score import ProxyScore
from denas_core.errors import Interrupted
from denas_core.evaluation.evaluator import Evaluator
from denas_core.evaluation.spread import opened, spread
from denas_core.setup.memory_limit import memory_need
from denas_core.system.interrupt import Interruption, interruptible
from denas_core.values.architecture import Architecture
from denas_core.values.trial import Evaluation

from .columns import DEPTH_WIDTH
from .measured import MeasuredNetworks

Tell = Callable[[int, int], None]
"""Called with the number of networks and seeds that are measured, and of all."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Measuring:
    """How networks are measured.

    Attributes:
        problem: The space, without constraints.
        components: What is measured, by column.
        device: ``cpu`` or ``cuda``.
        threads: Threads torch may use.
        executor: Where networks are measured.
    """

    problem: Problem
    components: Mapping[str, ProxyScore]
    device: str
    threads: int
    executor: Executor

    def run(
        self,
        networks: Sequence[Architecture],
        by_seed: Mapping[int, MeasuredNetworks],
        *,
        out: Path,
        tell: Tell = lambda done, total: None,
    ) -> None:
        """Measure what is not measured yet.

        Args:
            networks: Distinct architectures.
            by_seed: What is measured already, by seed; new values are added to it.
            out: Where that is kept, for the text of the error.
            tell: Told about the progress.

        Raises:
            Interrupted: a signal stopped it between two networks; everything finished is kept.
            StorageError: a result could not be kept.
        """
        need = memory_need(self.problem.space, self.components.values())
        demand = Demand(threads=self.threads, device=self.device, memory=need.largest)
        total, done = len(networks) * len(by_seed), 0
        with interruptible() as interruption, opened(self.executor, demand):
            interruption.on_first = self.executor.stop
            for place, (seed, measured) in enumerate(by_seed.items()):
                # A count does not depend on the seed.
                columns = [name for name in self.components if place == 0 or name != DEPTH_WIDTH]
                lacking = _by_lacking(networks, measured, columns)
                done += len(networks) - sum(map(len, lacking.values()))
                tell(done, total)
                for names, group in lacking.items():
                    function = functools.partial(evaluate_each, self._evaluator(names, seed, need.limit))
                    for arch, evaluation in spread(self.executor, function, _until(interruption, group)):
                        measured.add(arch, evaluation)
                        done += 1
                        tell(done, total)
                    if interruption:
                        raise Interrupted(
                            f"stopped after {done} of {total} networks and seeds, all of them kept in {str(out)!r}; "
                            "go on with the same command",
                            signal_number=interruption.signal_number,
                        )

    def _evaluator(self, columns: Sequence[str], seed: int, limit: int | None) -> Evaluator:
        return Evaluator(
            self.problem,
            {name: self.components[name] for name in columns},
            seed=seed,
            device=self.device,
            threads=self.threads,
            memory_limit=limit,
        )


def _by_lacking(
    networks: Sequence[Architecture], measured: MeasuredNetworks, columns: Sequence[str]
) -> dict[tuple[str, ...], list[Architecture]]:
    """Return the networks that lack values, by the names of the columns that they lack."""
    found: dict[tuple[str, ...], list[Architecture]] = defaultdict(list)
    for arch in networks:
        if lacking := measured.of(arch).lacks(columns):
            found[tuple(lacking)].append(arch)
    return found


def _until(interruption: Interruption, architectures: Sequence[Architecture]) -> Iterator[Architecture]:
    for arch in architectures:
        if interruption:
            return
        yield arch


def evaluate_each(evaluator: Evaluator, arch: Architecture) -> Evaluation:
    """Return the evaluation of `arch` in which a component that fails does not keep the others from being measured.

    Its reason has one line, ``component: reason``, for each component that failed.
    """
    result = evaluator.evaluate(arch)
    if result.state == "scored":
        return result
    names = list(evaluator.components)
    if "cost" not in result.seconds:
        # Nothing was scored: the network cannot be counted, or needs more memory than there is.
        return dataclasses.replace(
            result,
            state="failed",
            reason="\n".join(f"{name}: {result.reason}" for name in names),
            violation=0.0,
        )
    values, seconds, reason = dict(result.components), dict(result.seconds), result.reason
    failures: dict[str, str] = {}
    while reason:
        blamed = next(name for name in names if name not in values and name not in failures)
        failures[blamed] = reason.removeprefix(f"{blamed}: ")
        rest = {
            name: evaluator.components[name] for name in names if name not in values and name not in failures
        }
        more, spent, reason = evaluator.score(arch, rest) if rest else ({}, {}, "")
        values |= more
        seconds |= spent
    return Evaluation(
        state="failed",
        reason="\n".join(f"{name}: {text}" for name, text in failures.items()),
        components=values,
        metrics=result.metrics,
        seconds=seconds,
    )
