"""Evaluating one architecture, cheapest checks first: counts, then scores, then measured latency."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from .architecture import Architecture
from .candidate import Candidate
from .errors import DenasError, Infeasible, ScoreFailed
from .latency import Latency, LatencyProbe
from .objectives import Constraint, quantity
from .problem import Problem
from .score import ProxyScore, coerce_score, largest_batch
from .threads import pinned_threads
from .trial import Evaluation

# Threads, precision and random generators of torch, standard output and the working directory belong to the process:
# searches in several threads take turns.
_TURN = threading.RLock()


class Evaluator:
    """From an architecture to its evaluation: a function of nothing else, but for what the clock says.

    One call at a time in a process: torch's threads and precision, and standard output, belong to the whole of it.

    Attributes:
        problem: The space and its constraints.
        components: Scores by component name.
        probe: Measures latency; None where nothing needs it.
        seed: The run's seed.
        device: ``cpu`` or ``cuda``.
        threads: Threads torch may use; the bits of a score depend on it.
    """

    def __init__(
        self,
        problem: Problem,
        components: Mapping[str, ProxyScore],
        *,
        probe: LatencyProbe | None = None,
        seed: int = 0,
        device: str = "cpu",
        threads: int = 1,
        memory_limit: int | None = None,
    ) -> None:
        self.problem = problem
        self.components = components
        self.probe = probe
        self.seed = seed
        self.device = device
        self.threads = threads
        self._memory_limit = memory_limit
        self._reference: Callable[[], object] | None = None
        self._measured = [c for c in problem.constraints if c.is_measured]

    def __call__(self, arch: Architecture) -> Evaluation:
        """Return what becomes of `arch`; never raises for a fault of the candidate or a plugin."""
        return self.measure(arch, self.evaluate(arch))

    def evaluate(self, arch: Architecture) -> Evaluation:
        """Return counts and scores of `arch`: the part that may run elsewhere, and beside others."""
        seconds: dict[str, float] = {}
        start = time.perf_counter()
        try:
            metrics = {name: _count(value) for name, value in self.problem.cost(arch).items()}
            broken = self.problem.violations(arch)
            self._check_memory(arch)
        except Infeasible as error:
            return Evaluation(state="infeasible", reason=_one_line(str(error)) or "infeasible", violation=1.0)
        except (Exception, SystemExit) as error:
            return Evaluation(state="failed", reason=f"cost: {type(error).__name__}: {_one_line(str(error))}")
        seconds["cost"] = time.perf_counter() - start
        if broken:
            return Evaluation(
                state="infeasible",
                reason=_explained(broken, metrics),
                metrics=metrics,
                violation=sum(broken.values()),
                seconds=seconds,
            )
        components, spent, failure = self.score(arch, self.components)
        seconds |= spent
        if failure:
            return Evaluation(
                state="failed", reason=failure, components=components, metrics=metrics, seconds=seconds
            )
        return Evaluation(state="scored", components=components, metrics=metrics, seconds=seconds)

    def measure(self, arch: Architecture, evaluation: Evaluation) -> Evaluation:
        """Return `evaluation` with the measured latency, if it is scored and something asks: alone, on the target."""
        if self.probe is None or evaluation.state != "scored":
            return evaluation
        start = time.perf_counter()
        try:
            latency = self.latency(arch)
            measured = self.problem.space.latency_metrics(latency, self.probe.units(self.problem.space))
            if latency.relative is not None:
                coerce_score(latency.relative)
            # A NaN would hold every constraint.
            for metric in measured.values():
                for end in (metric.low, metric.median, metric.high):
                    coerce_score(end)
            reason, violation = judge_latency(self._measured, measured)
            return dataclasses.replace(
                evaluation,
                state="infeasible" if reason else "scored",
                reason=reason,
                metrics={**evaluation.metrics, **{name: metric.median for name, metric in measured.items()}},
                violation=violation,
                latency=latency.as_dict(),
                seconds={**evaluation.seconds, "latency": time.perf_counter() - start},
            )
        except (Exception, SystemExit) as error:
            reason = f"latency: {type(error).__name__}: {_one_line(str(error))}"
            return dataclasses.replace(evaluation, state="failed", reason=reason)

    def score(
        self, arch: Architecture, components: Mapping[str, ProxyScore]
    ) -> tuple[dict[str, float], dict[str, float], str]:
        """Return values and seconds by component, and the reason of the first failure (or an empty text)."""
        with _TURN:
            return self._score_alone(arch, components)

    def _score_alone(
        self, arch: Architecture, components: Mapping[str, ProxyScore]
    ) -> tuple[dict[str, float], dict[str, float], str]:
        passes = [spec for component in components.values() for spec in component.passes()]
        candidate = Candidate(self.problem.space, arch, seed=self.seed, device=self.device, passes=passes)
        # A score that declares no passes runs no network, and torch need not be imported for it.
        with pinned_threads(self.threads) if passes else contextlib.nullcontext():
            return self._score(candidate, components)

    def latency(self, arch: Architecture) -> Latency:
        """Return the measured latency of `arch`, interleaved with the smallest network where there is one.

        Raises:
            DenasError: there is no probe.
        """
        if self.probe is None:
            raise DenasError("this run has no latency probe")
        space = self.problem.space
        with _TURN, contextlib.redirect_stdout(sys.stderr):
            call = self.probe.prepare(space, arch, seed=self.seed, device=self.device)
            if self._reference is None and (smallest := space.smallest()) is not None:
                self._reference = self.probe.prepare(space, smallest, seed=self.seed, device=self.device)
            return self.probe.time(call, self._reference)

    def _score(
        self, candidate: Candidate, components: Mapping[str, ProxyScore]
    ) -> tuple[dict[str, float], dict[str, float], str]:
        values: dict[str, float] = {}
        seconds: dict[str, float] = {}
        for name, component in components.items():
            start = time.perf_counter()
            try:
                # What a score prints must not end up in the JSON on standard output.
                with contextlib.redirect_stdout(sys.stderr), contextlib.chdir("."):
                    values[name] = coerce_score(component.measure(candidate))
            except ScoreFailed as error:
                return values, seconds, f"{name}: {_one_line(str(error))}"
            except MemoryError:
                return values, seconds, f"{name}: out of memory"
            except (Exception, SystemExit) as error:
                return values, seconds, f"{name}: crashed: {type(error).__name__}: {_one_line(str(error))}"
            seconds[name] = time.perf_counter() - start
        return values, seconds, ""

    def _check_memory(self, arch: Architecture) -> None:
        if self._memory_limit is None:
            return
        from .cost import scoring_memory_bytes

        needed = scoring_memory_bytes(self.problem.space, arch, largest_batch(self.components.values()))
        if needed > self._memory_limit:
            raise Infeasible(
                f"memory: scoring takes {quantity(needed)}B, {quantity(self._memory_limit)}B are there"
            )


def judge_latency(constraints: Sequence[Constraint], measured: Mapping[str, Latency]) -> tuple[str, float]:
    """Return the reason why a measurement breaks a constraint (empty if none), and by how much."""
    for constraint in constraints:
        metric = measured[constraint.metric]
        verdict = constraint.verdict(metric.low, metric.high)
        if verdict == "holds":
            continue
        shown = f"{metric.median:.3g} [{metric.low:.3g}, {metric.high:.3g}]"
        worst = metric.high if constraint.upper else metric.low
        reason = (
            f"latency undecided: {shown} against {constraint}"
            if verdict == "undecided"
            else f"{constraint}: {shown}"
        )
        return reason, constraint.violation(worst)
    return "", 0.0


def _count(value: float) -> float:
    # Whole counts stay whole, beyond what a float can hold; numpy's become Python's, which JSON knows.
    number = coerce_score(value)
    return int(value) if number.is_integer() and not isinstance(value, float) else number


def _explained(broken: Mapping[Constraint, float], metrics: Mapping[str, float]) -> str:
    return "; ".join(f"{constraint}: {quantity(metrics[constraint.metric])}" for constraint in broken)


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]
