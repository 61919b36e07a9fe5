"""Fit the correction of a latency model to measured networks, and find its error on networks that it has not seen."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from denas_core.values.ranking import kendall_tau

from .nonnegative import Floats, least_squares
from .operators import Operator
from .table import LEAST_MS, OperatorTable

KINDS = ("convolution", "product", "normalisation", "view", "other")
"""Kinds of operators. A runtime makes each kind faster or slower than torch by a factor of its own."""

TERMS = (*KINDS, "calls", "constant")
"""The terms of a latency: milliseconds of each kind, number of calls in thousands, and 1."""

RIDGE = 0.22
"""Strength of the penalty. It does not grow with the number of networks, so with few of them it decides more."""
FEWEST_NETWORKS = 4
_LEAST_SPREAD = 0.01
# Two-sided 95 % quantiles of Student's t for n - 1 degrees of freedom are below 2.1 from 20 networks on.
_QUANTILE = 2.1


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ModelError:
    """How far a latency model is from measurements of networks that it has not seen.

    Attributes:
        median_percent: Median of the absolute relative errors, in percent.
        tau: Kendall's tau-b between predicted and measured latencies; None if one of them is constant.
        networks: Number of networks that were compared. Each was left out of the fit that predicted it.
        spread: Half-width of a 95 % interval of the logarithm of measured by predicted latency.
    """

    median_percent: float
    tau: float | None
    networks: int
    spread: float

    def __str__(self) -> str:
        tau = "undefined" if self.tau is None else f"{self.tau:.2f}"
        return (
            f"median error {self.median_percent:.1f} %, Kendall tau {tau}, on {self.networks} unseen networks"
        )


def kind_of(operator: Operator) -> str:
    """Return the kind of an operator, see `KINDS`."""
    if not operator.bytes:
        return "view"
    if operator.flops:
        return "convolution" if "conv" in operator.name else "product"
    return "normalisation" if "norm" in operator.name else "other"


def terms_of(counts: Counter[Operator], table: OperatorTable) -> Floats:
    """Return the value of each of `TERMS` but the constant, for a network that calls these operators."""
    found = dict.fromkeys(TERMS[:-1], 0.0)
    for operator, count in counts.items():
        ms = table.milliseconds(operator)
        found[kind_of(operator)] += count * ms
        # What a runtime merges into another operator is not called.
        found["calls"] += count / 1000 if ms > LEAST_MS else 0.0
    return np.array(list(found.values()))


def fit_weights(terms: Sequence[Floats], measured_ms: Sequence[float]) -> Floats:
    """Return a non-negative weight for each of `TERMS`, with the smallest relative errors.

    First one common weight of all kinds is fitted, with the calls and the constant. Then each kind gets its own weight,
    and a ridge penalty keeps it near the common one, because a few networks do not determine all weights.
    """
    matrix = np.column_stack([np.array(terms), np.ones(len(terms))])
    goal = np.array(measured_ms)
    kinds = len(KINDS)
    common = np.column_stack([matrix[:, :kinds].sum(axis=1), matrix[:, kinds:]]) / goal[:, None]
    start = least_squares(common, np.ones(len(goal)))
    center = np.concatenate([np.full(kinds, start[0]), np.zeros(len(TERMS) - kinds)])
    share = (matrix / goal[:, None]).mean(axis=0)
    share[kinds:] = 0.0
    penalty = RIDGE * np.diag(share)
    return least_squares(
        np.vstack([matrix / goal[:, None], penalty]), np.concatenate([np.ones(len(goal)), penalty @ center])
    )


def left_out_error(terms: Sequence[Floats], measured_ms: Sequence[float]) -> ModelError:
    """Return the error of predictions, each by a fit to all networks but the one that it predicts."""
    predicted = []
    for index in range(len(terms)):
        others = [place for place in range(len(terms)) if place != index]
        weights = fit_weights([terms[place] for place in others], [measured_ms[place] for place in others])
        predicted.append(float(np.append(terms[index], 1.0) @ weights))
    return compare(predicted, measured_ms)


def compare(predicted_ms: Sequence[float], measured_ms: Sequence[float]) -> ModelError:
    """Return the error of predictions of networks that had no part in a fit."""
    predicted, measured = np.maximum(predicted_ms, 1e-6), np.array(measured_ms)
    logs = np.log(measured / predicted)
    return ModelError(
        median_percent=float(np.median(np.abs(predicted / measured - 1)) * 100),
        tau=kendall_tau(list(predicted), list(measured)),
        networks=len(measured),
        spread=max(_QUANTILE * math.sqrt(float(np.mean(logs**2))), _LEAST_SPREAD),
    )


def weights_by_term(weights: Floats) -> Mapping[str, float]:
    """Return the weights with their names."""
    return dict(zip(TERMS, map(float, weights), strict=True))
