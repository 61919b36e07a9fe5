"""How well a latency model predicts networks that it has not seen, on this machine and between two settings.

    python benchmarks/latency_model.py --work DIR [--space cv/cnn:micro] [--setting eager-1] [--networks 40]

For each space and setting, a model is built as a search builds it. Networks that are drawn with another seed are then
measured and predicted. A setting is a probe and a number of threads. Two settings stand for two machines: the
correction of the first one is used with operator times of the second one, of which no network is measured for that.
With --between, each pair of the named settings is compared:

    python benchmarks/latency_model.py --work DIR --space cv/cnn:micro --setting eager-1 --setting eager-2 \\
        --setting onnx-1 --setting onnx-2 --between

Models and measurements are kept in DIR, so the same command goes on after a stop. The tables go to standard output.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from comparing import markdown

from denas_core import LatencyProbe, Registry, SearchSpace
from denas_core.isolation.guard import guarded
from denas_core.latency.calibrate import (
    NETWORKS,
    SECONDS,
    calibrated_model,
    network_measure,
    target_of,
)
from denas_core.latency.choice import candidates, spread_out
from denas_core.latency.fit import ModelError, compare
from denas_core.latency.model import LatencyModel
from denas_core.latency.table import OperatorTable
from denas_core.latency.timers import probe_times

SPACES = ("cv/cnn:micro", "cv/vit:micro", "nlp/bert:micro", "asr/transformer:micro", "hf/auto")
SETTINGS = {
    "eager-1": ("builtin/wall-clock", 1),
    "eager-2": ("builtin/wall-clock", 2),
    "onnx-1": ("onnx/runtime", 1),
    "onnx-2": ("onnx/runtime", 2),
}
UNSEEN_SEED = 1
PREDICTIONS = 1000


class Bench:
    """Models and measurements of one space, kept in a file."""

    def __init__(self, work: Path, name: str, options: dict[str, Any], networks: int, seconds: float) -> None:
        self.registry = Registry.discover()
        self.space: SearchSpace = self.registry.create("space", name, options)
        self.file = work / f"{name.replace('/', '-').replace(':', '-')}.json"
        self.kept: dict[str, Any] = json.loads(self.file.read_text()) if self.file.is_file() else {}
        self.networks = networks
        self.seconds = seconds

    def probe(self, setting: str) -> LatencyProbe:
        """Return the probe of a setting."""
        name, threads = SETTINGS[setting]
        probe: LatencyProbe = self.registry.create("probe", name, {"threads": threads})
        return probe

    def model(self, setting: str) -> LatencyModel:
        """Return the model of a setting; it is built only once."""
        key = f"model {setting}"
        if key not in self.kept:
            start = time.monotonic()
            with guarded():
                model = calibrated_model(
                    self.space,
                    self.probe(setting),
                    seed=0,
                    device="cpu",
                    threads=1,
                    seconds=self.seconds,
                    fresh=True,
                )
            self.keep(key, {"seconds": time.monotonic() - start, "model": model.as_dict()})
        return LatencyModel.from_dict(self.kept[key]["model"], self.space)

    def measured(self, setting: str, model: LatencyModel) -> dict[str, float]:
        """Return the milliseconds of networks that the model has not seen, by key."""
        size = {arch: model.predict(arch).median for arch in candidates(self.space, seed=UNSEEN_SEED)}
        seen = {arch.key for arch in candidates(self.space, seed=0)}
        unseen = [arch for arch in size if arch.key not in seen]
        key = f"measured {setting}"
        found: dict[str, Any] = dict(self.kept.get(key, {}))
        measure = network_measure(self.space, self.probe(setting), seed=0, device="cpu")
        for arch in spread_out(unseen, self.networks, size=lambda arch: size[arch]):
            if arch.key not in found:
                with guarded():
                    latency = measure(arch)
                found[arch.key] = {"arch": arch.as_dict(), "ms": latency.median, "verdict": latency.verdict}
                self.keep(key, found)
        return {name: entry["ms"] for name, entry in found.items()}

    def error(self, model: LatencyModel, setting: str) -> ModelError:
        """Return the error of a model on the networks that are measured in a setting."""
        entries = self.kept[f"measured {setting}"].values()
        predicted = [model.predict(self.space.architecture(entry["arch"])).median for entry in entries]
        return compare(predicted, [entry["ms"] for entry in entries])

    def transferred(self, source: str, target: str) -> LatencyModel:
        """Return the model of one setting for another one, in which no network is measured."""
        model = self.model(source)
        key = f"operators {target}"
        there = target_of(self.probe(target), device="cpu", threads=1)
        if key not in self.kept:
            times = probe_times(model.table.times, there, self.probe(target), seconds=self.seconds)
            self.keep(key, OperatorTable(times).as_list())
        return LatencyModel(
            self.space,
            target=there,
            table=OperatorTable.from_list(self.kept[key]),
            weights=model.weights,
            error=model.error,
            is_transferred=True,
        )

    def speed(self, model: LatencyModel) -> tuple[float, float]:
        """Return predictions a second of CPU time: of the first ones in a process, and of those after them."""
        drawn = list(candidates(self.space, seed=2, count=PREDICTIONS))
        rates = []
        for _ in range(2):
            start = time.process_time()
            for arch in itertools.islice(itertools.cycle(drawn), PREDICTIONS):
                model.predict(arch)
            rates.append(PREDICTIONS / (time.process_time() - start))
        return rates[0], rates[1]

    def keep(self, key: str, value: Any) -> None:
        """Write a result into the file."""
        self.kept[key] = value
        temporary = self.file.with_suffix(".tmp")
        temporary.write_text(json.dumps(self.kept))
        temporary.replace(self.file)


def rows(bench: Bench, name: str, settings: list[str]) -> Iterator[list[str]]:
    """Yield a row for each setting."""
    for setting in settings:
        model = bench.model(setting)
        bench.measured(setting, model)
        error, (first, later) = bench.error(model, setting), bench.speed(model)
        yield [
            name,
            setting,
            str(model.error.networks),
            *_cells(model.error),
            str(error.networks),
            *_cells(error),
            f"{bench.kept[f'model {setting}']['seconds']:.0f}",
            f"{first:.0f}",
            f"{later:.0f}",
        ]


def between(bench: Bench, name: str, settings: list[str]) -> Iterator[list[str]]:
    """Yield a row for each pair of settings that are both measured."""
    for source, target in itertools.permutations(settings, 2):
        yield [name, source, target, *_cells(bench.error(bench.transferred(source, target), target))]


def _cells(error: ModelError) -> list[str]:
    return ["-" if error.tau is None else f"{error.tau:.3f}", f"{error.median_percent:.1f}"]


def main() -> None:
    """Measure what is missing and print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True, help="directory of results, for going on")
    parser.add_argument("--space", action="append", help="space with its preset; may be repeated")
    parser.add_argument(
        "--option", action="append", default=[], metavar="KEY=VALUE", help="option of the spaces, in YAML"
    )
    parser.add_argument("--setting", action="append", choices=list(SETTINGS), help="may be repeated")
    parser.add_argument("--networks", type=int, default=40, help="unseen networks that are measured")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="time in which a model is built")
    parser.add_argument(
        "--between", action="store_true", help="also predict each setting from each other one"
    )
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    os.environ["DENAS_CACHE"] = str(given.work / "cache")
    settings = given.setting or list(SETTINGS)
    options = {key: yaml.safe_load(value) for key, _, value in (one.partition("=") for one in given.option)}
    own: list[list[str]] = []
    crossed: list[list[str]] = []
    for name in given.space or SPACES:
        bench = Bench(given.work, name, options, given.networks, given.seconds)
        own += rows(bench, name, settings)
        crossed += between(bench, name, settings) if given.between else []
        print(
            markdown(
                [
                    "space",
                    "setting",
                    f"networks (of {NETWORKS})",
                    "own tau",
                    "own %",
                    "unseen",
                    "tau",
                    "median %",
                    "build s",
                    "first 1,000 a second",
                    "later",
                ],
                own,
            ),
            markdown(["space", "learnt in", "predicts", "tau", "median %"], crossed),
            sep="\n\n",
            end="\n\n",
            flush=True,
        )


if __name__ == "__main__":
    main()
