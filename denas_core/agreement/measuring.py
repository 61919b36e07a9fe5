"""Score the networks of a table with several seeds, as a search scores its candidates."""

from __future__ import annotations

import dataclasses
import functools
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from denas_core.contracts.executor import Demand, Executor
from denas_core.contracts.problem import Problem
from denas_core.contracts.score import ProxyScore
from denas_core.contracts.scoring_data import ScoringData
from denas_core.errors import Interrupted
from denas_core.evaluation.evaluator import Evaluator
from denas_core.evaluation.spread import opened, spread
from denas_core.setup.memory_limit import memory_need
from denas_core.system.interrupt import interruptible
from denas_core.text import one_line
from denas_core.values.architecture import Architecture
from denas_core.values.trial import Evaluation

from .columns import DEPTH_WIDTH
from .measured import MeasuredNetworks

OnProgress = Callable[[int, int], None]
"""Is called with the number of finished pairs of network and seed, and the number of all pairs."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Measuring:
    """The settings for scoring networks.

    Attributes:
        problem: The space, without constraints.
        components: The scores to measure, by column.
        device: ``cpu`` or ``cuda``.
        threads: Number of threads that torch may use.
        executor: The executor that runs the scores.
        data: The data whose samples replace noise; None for noise.
    """

    problem: Problem
    components: Mapping[str, ProxyScore]
    device: str
    threads: int
    executor: Executor
    data: ScoringData | None = None

    def run(
        self,
        networks: Sequence[Architecture],
        by_seed: Mapping[int, MeasuredNetworks],
        *,
        out: Path,
        on_progress: OnProgress = lambda done, total: None,
    ) -> None:
        """Measure all values that are not stored yet.

        Args:
            networks: Distinct architectures.
            by_seed: The stored values by seed. New values are added to them.
            out: Directory of the stores, for the text of the error.
            on_progress: Is called after each network.

        Raises:
            Interrupted: a signal stopped the work between two networks. Finished networks are stored.
            StorageError: a result could not be stored.
        """
        need = memory_need(self.problem.space, self.components.values(), on_data=self.data is not None)
        demand = Demand(threads=self.threads, device=self.device, memory=need.largest)
        total, done = len(networks) * len(by_seed), 0
        with interruptible() as interruption, opened(self.executor, demand):
            interruption.on_first = self.executor.stop
            for place, (seed, measured) in enumerate(by_seed.items()):
                # A count does not depend on the seed.
                columns = [name for name in self.components if place == 0 or name != DEPTH_WIDTH]
                missing = _group_by_missing(networks, measured, columns)
                done += len(networks) - sum(map(len, missing.values()))
                on_progress(done, total)
                for names, group in missing.items():
                    function = functools.partial(evaluate_each, self._evaluator(names, seed, need.limit))
                    for arch, evaluation in spread(self.executor, function, interruption.until_signal(group)):
                        measured.add(arch, _with_all_reasons(evaluation, names))
                        done += 1
                        on_progress(done, total)
                    if interruption:
                        raise Interrupted(
                            f"stopped after {done} of {total} pairs of network and seed, which are kept in "
                            f"{str(out)!r}; continue with the same command",
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
            data=self.data,
        )


def _group_by_missing(
    networks: Sequence[Architecture], measured: MeasuredNetworks, columns: Sequence[str]
) -> dict[tuple[str, ...], list[Architecture]]:
    """Return the networks that lack values, by the names of the columns that they lack."""
    found: dict[tuple[str, ...], list[Architecture]] = defaultdict(list)
    for arch in networks:
        if missing := measured.of(arch).missing(columns):
            found[tuple(missing)].append(arch)
    return found


def _with_all_reasons(evaluation: Evaluation, columns: Sequence[str]) -> Evaluation:
    """Return `evaluation` with a reason for each column if its worker was lost, for which there is only one reason."""
    lines = evaluation.reason.splitlines()
    known = {*evaluation.components, *(line.partition(": ")[0] for line in lines)}
    if known >= set(columns):
        return evaluation
    reason = one_line(evaluation.reason)
    return dataclasses.replace(evaluation, reason="\n".join(f"{name}: {reason}" for name in columns))


def evaluate_each(evaluator: Evaluator, arch: Architecture) -> Evaluation:
    """Evaluate `arch`, and continue with the other components after one has failed.

    The reason of the returned evaluation has one line, ``component: reason``, for each component that failed.
    """
    result = evaluator.evaluate(arch)
    if result.state == "scored":
        return result
    names = list(evaluator.components)
    if "cost" not in result.seconds:
        # No component ran, because the cost of the network cannot be counted or the memory is too small.
        return dataclasses.replace(
            result,
            state="failed",
            reason="\n".join(f"{name}: {result.reason}" for name in names),
            violation=0.0,
        )
    values, seconds, reason = dict(result.components), dict(result.seconds), result.reason
    failures: dict[str, str] = {}
    while reason:
        failed = next(name for name in names if name not in values and name not in failures)
        failures[failed] = reason.removeprefix(f"{failed}: ")
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
