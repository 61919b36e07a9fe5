"""A regression of measured networks of a space, which answers for all others: what `strategies.py` searches."""

from __future__ import annotations

import csv
import dataclasses
import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from comparing import denas, settings

from denas_core import Architecture, Knob, Registry, SearchSpace, kendall_tau
from denas_core.values.ranking import average_ranks

Floats = npt.NDArray[np.float64]

SPACES: dict[str, tuple[str, dict[str, Any], int]] = {
    "nasbench201": ("bench/nasbench201", {}, 0),
    "cv-vit": ("cv/vit:micro", {"classes": 10, "image_size": 32}, 700),
    "nlp-bert": ("nlp/bert:micro", {"tied": False}, 400),
}
"""Space, options, and number of networks that a search measures for the table."""

LENGTHS = (1.0, 2.0, 4.0)
NOISES = (1e-4, 1e-2, 0.1)
FOLDS = 5
NAMES = ("score", "params", "flops")


@dataclasses.dataclass
class Surrogate:
    """A Gaussian process for each column of a table of networks.

    Attributes:
        space: The space.
        features: One row for each measured network.
        weights: For each column, the weights of the kernel, the length, the mean and the standard deviation.
        agreement: For each column, Kendall's tau between predictions and values of networks that were left out.
    """

    space: SearchSpace
    features: Floats
    weights: dict[str, tuple[Floats, float, float, float]]
    agreement: dict[str, float]

    def __post_init__(self) -> None:
        self._known: dict[str, dict[str, float]] = {}
        self._knobs = self.space.knobs()

    def __call__(self, arch: Architecture) -> dict[str, float]:
        """Return the predicted columns of a network."""
        if arch.key not in self._known:
            own = encode(self._knobs, arch)
            squares = ((self.features - own) ** 2).sum(axis=1)
            dots = self.features @ own
            found = {}
            for name, (weights, length, mean, deviation) in self.weights.items():
                value = float(kernel(squares, dots, length) @ weights) * deviation + mean
                found[name] = value if name == "score" else float(np.exp(value))
            self._known[arch.key] = found
        return self._known[arch.key]

    def describe(self) -> str:
        """Return the number of networks and the agreement."""
        taus = ", ".join(f"{name} {tau:.3f}" for name, tau in self.agreement.items())
        return f"{self.space.id}: {len(self.features)} networks measured; tau of the regression: {taus}"


def encode(knobs: Sequence[Knob], arch: Architecture) -> Floats:
    """Return a network as numbers: the place of a numeric value from 0 to 1, any other value as one of several."""
    numbers: list[float] = []
    for knob in knobs:
        value = arch.values.get(knob.name)
        if isinstance(knob.values[0], str):
            numbers += [float(value == choice) for choice in knob.values]
        elif knob.when is None:
            numbers.append(knob.values.index(value) / max(len(knob.values) - 1, 1))  # type: ignore[arg-type]
        else:
            place = -1.0 if value is None else knob.values.index(value) / max(len(knob.values) - 1, 1)
            numbers += [place if value is not None else 0.0, float(value is not None)]
    return np.array(numbers)


def kernel(squares: Floats, dots: Floats, length: float) -> Floats:
    """Return a linear kernel plus a squared exponential one."""
    return dots + 1.0 + np.exp(-squares / (2 * length**2))


def fit(
    space: SearchSpace, archs: Sequence[Architecture], columns: Mapping[str, Sequence[float]], file: Path
) -> Surrogate:
    """Return the regression, whose length and noise leave the smallest error on networks that were left out.

    Args:
        space: The space.
        archs: The measured networks.
        columns: Their values by column.
        file: Where the lengths and the noises are kept.
    """
    chosen = json.loads(file.read_text()) if file.exists() else {}
    features = np.stack([encode(space.knobs(), arch) for arch in archs])
    squares = ((features[:, None, :] - features[None, :, :]) ** 2).sum(axis=2)
    dots = features @ features.T
    weights, agreement = {}, {}
    for name, column in columns.items():
        raw = np.array(column) if name == "score" else np.log(np.array(column))
        mean, deviation = raw.mean(), raw.std()
        target = (raw - mean) / deviation
        if name not in chosen:
            chosen[name] = choose(squares, dots, target)
        length, noise, agreement[name] = chosen[name]
        full = np.linalg.solve(kernel(squares, dots, length) + noise * np.eye(len(target)), target)
        weights[name] = (full, length, float(mean), float(deviation))
    file.write_text(json.dumps(chosen))
    return Surrogate(space, features, weights, agreement)


def choose(squares: Floats, dots: Floats, target: Floats) -> tuple[float, float, float]:
    """Return the length and the noise with the smallest error on networks that were left out, and Kendall's tau."""
    folds = np.random.default_rng(0).permutation(len(target)) % FOLDS
    best = (np.inf, 0.0, 0.0, 0.0)
    for length, noise in itertools.product(LENGTHS, NOISES):
        covariance = kernel(squares, dots, length)
        predicted = np.empty(len(target))
        for fold in range(FOLDS):
            seen, left = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
            solved = np.linalg.solve(covariance[np.ix_(seen, seen)] + noise * np.eye(len(seen)), target[seen])
            predicted[left] = covariance[np.ix_(left, seen)] @ solved
        error = float(((predicted - target) ** 2).mean())
        if error < best[0]:
            best = (error, length, noise, kendall_tau(predicted.tolist(), target.tolist()) or 0.0)
    return best[1:]


def read_surrogate(name: str, work: Path, registry: Registry, *, accuracies: Path | None) -> Surrogate:
    """Return the regression of a space, and make its table first if there is none."""
    of, options, count = SPACES[name]
    space: SearchSpace = registry.create("space", of, options)
    table = work / f"{name}.json"
    if not table.exists():
        rows = from_search(space, of, options, count, work / name) if count else from_file(space, accuracies)
        table.write_text(json.dumps(rows))
    rows = json.loads(table.read_text())
    archs = [space.architecture(row["arch"]) for row in rows]
    columns = {column: [row[column] for row in rows] for column in NAMES}
    return fit(space, archs, columns, work / f"{name}-fit.json")


def from_search(
    space: SearchSpace, of: str, options: Mapping[str, Any], count: int, run: Path
) -> list[dict[str, Any]]:
    """Return the networks that a search scored, by the default score."""
    if not (run / "result.json").exists():
        values = [f"space.{key}={json.dumps(value)}" for key, value in options.items()]
        given = (
            "--strategy",
            "builtin/evolution",
            "--budget",
            str(count),
            "--seed",
            "1000",
            "-o",
            str(run),
            "-q",
        )
        denas("search", of, *settings(values), *given)
    insight = json.loads((run / "insight.json").read_text())["values"]
    trials = denas("trials", str(run))["trials"]
    return [
        {
            "arch": row["arch"],
            "score": insight[row["key"]],
            **{name: row["metrics"][name] for name in NAMES[1:]},
        }
        for row in trials
        if row["state"] == "scored"
    ]


def from_file(space: SearchSpace, accuracies: Path | None) -> list[dict[str, Any]]:
    """Return the networks of NAS-Bench-201 in a file, by their accuracy on CIFAR-100."""
    if accuracies is None:
        raise SystemExit("NAS-Bench-201 needs --accuracies, the table of its trained networks")
    rows = []
    with accuracies.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            arch = space.parse(row["arch_str"])
            cost = space.cost(arch)
            accuracy = float(row["cifar100_test_200"])
            rows.append(
                {"arch": arch.as_dict(), "score": accuracy, "params": cost["params"], "flops": cost["flops"]}
            )
    # The place in the order in place of the accuracy, because a few networks that learn nothing would decide the fit.
    ranks = average_ranks(np.array([row["score"] for row in rows]))
    return [{**row, "score": float(rank) / len(rows)} for row, rank in zip(rows, ranks, strict=True)]
