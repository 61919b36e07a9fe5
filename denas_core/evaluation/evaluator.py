"""Evaluation of one architecture, with the cheapest checks first: counts and predictions, then scores, then latency."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from denas_core.contracts.candidate import Candidate
from denas_core.contracts.inputs import draw_batches
from denas_core.contracts.probe import LatencyProbe
from denas_core.contracts.problem import Problem
from denas_core.contracts.score import ProxyScore
from denas_core.errors import DenasError, Infeasible, ScoreFailed
from denas_core.isolation.guard import TURN, guarded
from denas_core.system.threads import pinned_threads
from denas_core.text import describe_error, one_line, quantity
from denas_core.values.architecture import Architecture
from denas_core.values.contender import Contender
from denas_core.values.latency import Latency, check_latency
from denas_core.values.number import coerce_score
from denas_core.values.objectives import Constraint
from denas_core.values.trial import Evaluation

from .computing import Computed, compute, compute_on_rungs

if TYPE_CHECKING:
    from denas_core.contracts.scoring_data import ScoringData
    from denas_core.values.passes import PassSpec

    from .scoring import Scoring


class Evaluator:
    """Evaluates architectures. Except for measured times, the result depends only on the architecture.

    A process may run only one call at a time, because the threads and precision of torch and standard output belong to
    the whole process.

    Attributes:
        problem: The space and its constraints.
        components: Scores by component name.
        probe: Measures latency; None if nothing needs it.
        seed: The run's seed.
        device: ``cpu`` or ``cuda``.
        threads: Number of threads that torch may use. The last bits of a score depend on it.
        data: The user's data, whose batches replace noise; None for noise.
        scoring: Combines the components on the rungs of a `Contender`; None if every candidate gets all components.
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
        data: ScoringData | None = None,
        scoring: Scoring | None = None,
    ) -> None:
        self.problem = problem
        self.components = components
        self.probe = probe
        self.seed = seed
        self.device = device
        self.threads = threads
        self.data = data
        self.scoring = scoring
        self._memory_limit = memory_limit
        self._reference: Callable[[], object] | None = None
        self._passes: dict[int, tuple[ProxyScore, tuple[PassSpec, ...]]] = {}
        self._measured = [c for c in problem.constraints if c.is_measured or problem.predicts(c.metric)]

    def __reduce__(self) -> tuple[Any, ...]:
        if self.data is not None:
            passes = [spec for component in self.components.values() for spec in self._passes_of(component)]
            draw_batches(self.data, passes, seed=self.seed)
        settings: dict[str, Any] = {
            "probe": self.probe,
            "seed": self.seed,
            "device": self.device,
            "threads": self.threads,
            "memory_limit": self._memory_limit,
            "data": self.data,
            "scoring": self.scoring,
        }
        return functools.partial(Evaluator, **settings), (self.problem, dict(self.components))

    def __call__(self, arch: Architecture) -> Evaluation:
        """Return the evaluation of `arch`. Errors of the candidate or of a plugin do not raise; they are its reason."""
        found = self.evaluate(arch)
        return self.measure(arch, found) if self.measures_candidates else found

    def evaluate(self, arch: Architecture) -> Evaluation:
        """Return an evaluation with counts and scores. This part may run in another process, in parallel to others."""
        seconds: dict[str, float] = {}
        start = time.perf_counter()
        try:
            with guarded():
                metrics = self.counts(arch)
                latency = self._predicted(arch)
                broken = self.problem.violations(arch)
                self._check_memory(arch)
        except Infeasible as error:
            return Evaluation(state="infeasible", reason=one_line(error) or "infeasible", violation=1.0)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return Evaluation(state="failed", reason=f"cost: {describe_error(error)}")
        seconds["cost"] = time.perf_counter() - start
        if broken:
            return Evaluation(
                state="infeasible",
                reason=_explained(broken, metrics),
                metrics=metrics,
                violation=sum(broken.values()),
                latency=latency,
                seconds=seconds,
            )
        found = self._scored(arch, self.components, metrics)
        return Evaluation(
            state="failed" if found.failure else "cut" if found.cut else "scored",
            reason=found.failure or found.cut,
            components=found.values,
            metrics=metrics,
            latency=latency,
            seconds=seconds | found.seconds,
        )

    def evaluate_scores(self, arch: Architecture) -> Evaluation:
        """Return an evaluation with scores only, of an architecture whose counts are known to be within the bounds."""
        components, seconds, failure = self.score(arch, self.components)
        return Evaluation(
            state="failed" if failure else "scored", reason=failure, components=components, seconds=seconds
        )

    def counts(self, arch: Architecture) -> dict[str, float]:
        """Return parameters, FLOPs, memory and predicted metrics of `arch` as plain numbers, see `Problem.cost`.

        Raises:
            ScoreFailed: a value is negative or not a number.
        """
        return {name: _count(name, value) for name, value in self.problem.cost(arch).items()}

    def measure(self, arch: Architecture, evaluation: Evaluation) -> Evaluation:
        """Return `evaluation` with the measured latency, if it is scored and there is a probe.

        Nothing else may run on the machine at the same time.
        """
        if self.probe is None or evaluation.state != "scored":
            return evaluation
        start = time.perf_counter()
        try:
            latency, measured = self.measured_metrics(arch)
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
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            reason = f"latency: {describe_error(error)}"
            return dataclasses.replace(evaluation, state="failed", reason=reason)

    @property
    def measures_candidates(self) -> bool:
        """Whether the latency of each candidate is measured. If it is predicted, only finalists are measured."""
        return self.probe is not None and self.problem.prediction is None

    def measured_metrics(self, arch: Architecture) -> tuple[Latency, dict[str, Latency]]:
        """Return the measured latency of `arch`, and all measured metrics by name, including the latency.

        Raises:
            DenasError: there is no probe.
            ScoreFailed: a number is negative, not finite or outside its interval, or a declared metric is missing.
        """
        if self.probe is None:
            raise DenasError("this run has no latency probe")
        space = self.problem.space
        with guarded():
            call, reference = self._calls(arch)
            latency = check_latency(self.probe.time(call, reference))
            found = dict(space.latency_metrics(latency, self.probe.units(space)))
            if self.probe.metrics:
                found |= self.probe.other_metrics(call, reference)
            for metric in self.probe.metrics:
                if metric.name not in found:
                    raise ScoreFailed(
                        f"probe {self.probe.id!r} declares {metric.name!r} and does not measure it"
                    )
            return latency, {name: check_latency(metric) for name, metric in found.items()}

    def score(
        self, arch: Architecture, components: Mapping[str, ProxyScore]
    ) -> tuple[dict[str, float], dict[str, float], str]:
        """Return values and seconds by component, and the reason of the first failure; empty if none failed."""
        found = self._scored(arch, components)
        return found.values, found.seconds, found.failure

    def _scored(
        self,
        arch: Architecture,
        components: Mapping[str, ProxyScore],
        metrics: Mapping[str, float] | None = None,
    ) -> Computed:
        """Return what was computed of the components; only some of them if `arch` is a contender that is cut."""
        with TURN:
            try:
                passes = [spec for component in components.values() for spec in self._passes_of(component)]
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                return Computed(failure=f"passes: crashed: {describe_error(error)}")
            candidate = Candidate(
                self.problem.space,
                arch,
                seed=self.seed,
                device=self.device,
                passes=passes,
                data=self.data,
            )
            # Scores without passes run no network, so torch need not be imported for them.
            with pinned_threads(self.threads) if passes else contextlib.nullcontext():
                if self.scoring is None or not isinstance(arch, Contender):
                    return compute(candidate, components, seed=self.seed)
                return compute_on_rungs(
                    candidate, components, self.scoring, arch.rungs, metrics=metrics or {}, seed=self.seed
                )

    def latency(self, arch: Architecture) -> Latency:
        """Return the measured latency of `arch`, in alternation with what the probe compares with.

        Raises:
            DenasError: there is no probe.
        """
        if self.probe is None:
            raise DenasError("this run has no latency probe")
        with guarded():
            return self.probe.time(*self._calls(arch))

    def _predicted(self, arch: Architecture) -> dict[str, object] | None:
        latency, prediction = self.problem.predicted(arch), self.problem.prediction
        if latency is None or prediction is None:
            return None
        return prediction.describe(check_latency(latency))

    def _calls(self, arch: Architecture) -> tuple[Callable[[], object], Callable[[], object] | None]:
        """Return two functions: one runs `arch`, the other runs what the probe compares with."""
        from denas_core.latency.thin import check_measurable

        assert self.probe is not None, "the callers have checked it"
        space = self.problem.space
        check_measurable(self.counts(arch))
        call = self.probe.prepare(space, arch, seed=self.seed, device=self.device)
        if self._reference is None:
            self._reference = self.probe.prepare_reference(space, seed=self.seed, device=self.device)
        return call, self._reference

    def _passes_of(self, component: ProxyScore) -> Sequence[PassSpec]:
        # Passes depend only on the options of a score, so each score is asked once per search.
        if id(component) not in self._passes:
            with guarded():
                self._passes[id(component)] = component, tuple(component.passes())
        return self._passes[id(component)][1]

    def _check_memory(self, arch: Architecture) -> None:
        if self._memory_limit is None:
            return
        from .memory import components_memory_bytes

        components = self.components.values()
        needed = components_memory_bytes(self.problem.space, arch, components, on_data=self.data is not None)
        if needed > self._memory_limit:
            raise Infeasible(
                f"memory: scoring takes {quantity(needed)}B, and {quantity(self._memory_limit)}B are there; "
                "scores of counts, such as scores/params, take none"
            )


def judge_latency(constraints: Sequence[Constraint], measured: Mapping[str, Latency]) -> tuple[str, float]:
    """Return why a measurement breaks a constraint (empty if it breaks none), and by how much."""
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


def _count(name: str, value: float) -> float:
    # Integers stay integers, because a float cannot hold large ones. Those of numpy become Python's, for JSON.
    number = coerce_score(value)
    if number < 0:
        raise ScoreFailed(f"{one_line(name)} is negative: {number:g}")
    return int(value) if number.is_integer() and not isinstance(value, float) else number


def _explained(broken: Mapping[Constraint, float], metrics: Mapping[str, float]) -> str:
    return "; ".join(f"{constraint}: {quantity(metrics[constraint.metric])}" for constraint in broken)
