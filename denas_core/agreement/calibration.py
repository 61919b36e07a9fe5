"""Fit the weights of a combined score to a few trained networks, and decide whether they rank better than before."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from denas_core.values.ranking import average_ranks

from .statistics import Floats, draw_resamples, finite, interval, kendall_taus

PENALTIES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, math.inf)
"""How strongly weights are held at the earlier ones, relative to the mean variance of a component."""

FEWEST_NETWORKS = 8
"""Number of trained networks below which weights are not fitted."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Fitted weights, and how well they rank networks that had no part in their fit.

    Attributes:
        weights: Fitted weight by component, none of them negative. Their sum is that of the earlier weights.
        penalty: How strongly they are held at the earlier weights, one of `PENALTIES`.
        tau: Kendall's tau-b between the target and the values of networks, each with weights that were fitted without
            it; None if all values are equal.
        tau_interval: Its 95 % interval by bootstrap.
        tau_before: Kendall's tau-b of the earlier weights.
        tau_before_interval: Its 95 % interval.
        difference_interval: The 95 % interval of the difference of the two, over the same draws.
        better_share: Share of these draws in which the fitted weights are better.
    """

    weights: Mapping[str, float]
    penalty: float
    tau: float | None
    tau_interval: Sequence[float] | None
    tau_before: float | None
    tau_before_interval: Sequence[float] | None
    difference_interval: Sequence[float] | None
    better_share: float

    @property
    def is_better(self) -> bool:
        """Whether the fitted weights rank networks better than the earlier ones do, and in most of the draws, too.

        Without the second condition, one network in another place may decide.
        """
        if self.tau is None:
            return False
        return self.tau_before is None or (self.tau > self.tau_before and self.better_share > 0.5)


def calibrate(
    columns: Mapping[str, Sequence[float]], target: Sequence[float], before: Mapping[str, float]
) -> Calibration:
    """Fit the weights of the components to a target.

    Minimises ||r - Xw||^2 + p ||w - c w0||^2 with w >= 0, where X has the log-ranks of the components, r the ranks of
    the target, both without their mean, w0 the earlier weights, and c their scale: the slope of r on X w0. The penalty
    p is the one with the smallest error for networks that are left out, one at a time.

    Args:
        columns: Log-ranks by component, one for each trained network. Larger is better.
        target: What training has measured. Larger is better.
        before: The earlier weight of each component.
    """
    features = np.array([columns[name] for name in before], dtype=np.float64).T
    truth = np.array(target, dtype=np.float64)
    default = np.array([*before.values()], dtype=np.float64)
    weights, penalty = _fit(features, average_ranks(truth), default)
    held_out = np.array([_value_left_out(features, truth, default, place) for place in range(len(truth))])
    resamples = draw_resamples(range(len(truth)))
    now = kendall_taus(held_out, truth, resamples)
    then = kendall_taus(_settled(features @ default), truth, resamples)
    return Calibration(
        weights={name: float(weight) for name, weight in zip(before, weights, strict=True)},
        penalty=penalty,
        tau=finite(now[0]),
        tau_interval=interval(now[1:]),
        tau_before=finite(then[0]),
        tau_before_interval=interval(then[1:]),
        difference_interval=interval((now - then)[1:]),
        better_share=float(np.mean((now - then)[1:] > 1e-12)),
    )


def fit_weights(features: Floats, ranks: Floats, default: Floats, penalty: float) -> Floats:
    """Return the weights for one penalty, see `calibrate`; those of `default` if no component has a positive weight.

    Args:
        features: Log-ranks, (networks, components).
        ranks: Ranks of the target.
        default: The earlier weights.
        penalty: See `PENALTIES`.
    """
    weights, _ = _scaled_fit(features, ranks, default, penalty)
    return weights


def _value_left_out(features: Floats, truth: Floats, default: Floats, place: int) -> float:
    """Return the value of one network with weights, and a penalty, that were chosen without it."""
    others = np.arange(len(truth)) != place
    weights, _ = _fit(features[others], average_ranks(truth[others]), default)
    return float(_settled(features[place] @ weights))


def _fit(features: Floats, ranks: Floats, default: Floats) -> tuple[Floats, float]:
    errors = [
        sum(_squared_error(features, ranks, default, penalty, place) for place in range(len(ranks)))
        for penalty in PENALTIES
    ]
    # Of equal errors, the one with the strongest penalty.
    best = len(errors) - 1 - int(np.argmin(errors[::-1]))
    return fit_weights(features, ranks, default, PENALTIES[best]), PENALTIES[best]


def _squared_error(features: Floats, ranks: Floats, default: Floats, penalty: float, place: int) -> float:
    others = np.arange(len(ranks)) != place
    kept = features[others]
    weights, scale = _scaled_fit(kept, ranks[others], default, penalty)
    expected = ranks[others].mean() + scale * float((features[place] - kept.mean(axis=0)) @ weights)
    return float((ranks[place] - expected) ** 2)


def _scaled_fit(features: Floats, ranks: Floats, default: Floats, penalty: float) -> tuple[Floats, float]:
    """Return weights with the sum of the earlier ones, and the factor that turns their values into ranks."""
    x = features - features.mean(axis=0)
    r = ranks - ranks.mean()
    value = x @ default
    energy = float(value @ value)
    scale = max(float(value @ r) / energy, 0.0) if energy > 0 else 0.0
    if math.isinf(penalty):
        return default, scale
    strength = penalty * float((x**2).mean()) * len(x)
    if strength == 0:
        return default, scale
    found = solve_nonnegative(x.T @ x + strength * np.eye(len(default)), x.T @ r + strength * scale * default)
    total = float(found.sum())
    if total <= 0:
        return default, scale
    size = total / float(default.sum())
    return found / size, size


def solve_nonnegative(matrix: Floats, vector: Floats) -> Floats:
    """Return the w >= 0 that minimises w'Aw / 2 - b'w for a positive definite matrix A and a vector b.

    This is the principal pivoting of Murty (1974): the last component that breaks a condition of the
    optimum changes sides, until none does.
    """
    used: npt.NDArray[np.bool_] = np.ones(len(vector), dtype=bool)
    weights = np.zeros(len(vector))
    for _ in range(2 ** len(vector)):
        weights = np.zeros(len(vector))
        weights[used] = np.linalg.solve(matrix[np.ix_(used, used)], vector[used])
        slopes = vector - matrix @ weights
        tolerance = 1e-12 * float(np.abs(vector).max(initial=1e-300))
        broken = np.flatnonzero(np.where(used, weights < 0, slopes > tolerance))
        if not len(broken):
            break
        used[broken[-1]] ^= True
    return np.maximum(weights, 0.0)


def _settled(values: Floats) -> Floats:
    # Equal networks must have equal values, whatever the rounding of the weights.
    return np.round(values, 9)
