"""Training throughput: the engine of ``denas train`` beside a bare PyTorch loop over the same model and data.

Both train the same architecture from the same weights with the settings of the recipe, in the same process and on
one thread. The bare loop is a `DataLoader` with its own shuffling, forward, backward, clipping where the recipe clips,
step and schedule, and nothing else. They take turns, an epoch each, the first of a pair by turns, so that what else the
machine does falls on both; after one pair to warm up, the ratio is the median over the pairs. CPU-seconds of this
process. Evaluations and checkpoints are what a bare loop has not: they are timed apart and not part of the ratio.

Architectures: the largest of 200 samples with at most so many parameters. Data: by default the small example that the
task itself writes, its samples taken again and again; or a data set such as CIFAR-10.

Usage: python benchmarks/training.py [--space cv/cnn cv/vit:tiny] [--data PATH] [--params 0.3 1 5] [--pairs 7] [--json]
"""

from __future__ import annotations

import argparse
import json
import math
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset

from denas_core.contracts.space import SearchSpace
from denas_core.contracts.split import Split
from denas_core.contracts.task import Task, TaskData
from denas_core.models.trained import build_network
from denas_core.registry.registry import Registry
from denas_core.system.interrupt import Interruption
from denas_core.training.engine import Engine
from denas_core.training.network import TrainableNetwork
from denas_core.training.optimizer import make_optimizer
from denas_core.training.plan import Plan
from denas_core.training.schedule import learning_rate_factor
from denas_core.training.settings import make_settings
from denas_core.values.architecture import Architecture


class Repeated(Split[Any]):
    """So many samples of a split, again and again if it has fewer."""

    def __init__(self, split: Split[Any], count: int) -> None:
        self._split, self._count = split, count

    def __len__(self) -> int:
        return self._count

    def sample(self, index: int, rng: random.Random | None = None) -> Any:
        """Return a sample."""
        return self._split.sample(index % len(self._split), rng)


class Augmented(Dataset[Any]):
    """Augmentation as a bare loop has it: one generator for all."""

    def __init__(self, split: Split[Any]) -> None:
        self._split, self._rng = split, random.Random(0)

    def __len__(self) -> int:
        return len(self._split)

    def __getitem__(self, index: int) -> Any:
        return self._split.sample(index, self._rng)


class BareLoop:
    """What one writes by hand."""

    def __init__(self, plan: Plan, data: TaskData[Any]) -> None:
        split = data.train
        assert split is not None
        rng = random.Random(0)
        settings = plan.settings
        self._plan = plan
        self._network = network_of(plan, data)
        self._loader = DataLoader(
            Augmented(split),
            batch_size=settings.batch_size,
            shuffle=True,
            drop_last=True,
            collate_fn=lambda samples: plan.task.collate(samples, rng),
        )
        self._optimizer = make_optimizer(self._network, settings)
        per_epoch = len(self._loader)
        self._schedule = torch.optim.lr_scheduler.LambdaLR(
            self._optimizer,
            lambda step: learning_rate_factor(
                settings, step, total=per_epoch * settings.epochs, steps_per_epoch=per_epoch
            ),
        )

    def epoch(self) -> None:
        """Train an epoch."""
        plan, network = self._plan, self._network
        network.train()
        for batch, targets in self._loader:
            self._optimizer.zero_grad()
            outputs = plan.space.forward(network, batch)
            loss = plan.task.loss(outputs, targets, label_smoothing=plan.settings.label_smoothing)
            loss.backward()  # type: ignore[no-untyped-call]
            if plan.settings.clip:
                torch.nn.utils.clip_grad_norm_(network.parameters(), plan.settings.clip)
            self._optimizer.step()
            self._schedule.step()


class TimedEngine(Engine):
    """The engine, with an epoch of the bare loop before or after each of its own."""

    bare: BareLoop

    def _run_epoch(self, *arguments: Any, **options: Any) -> None:
        first = options["epoch"] % 2
        if first:
            self._time_bare()
        self._apart = 0.0
        start = time.process_time()
        super()._run_epoch(*arguments, **options)
        self.seconds["engine"].append(time.process_time() - start - self._apart)
        self.seconds["apart"].append(self._apart)
        if not first:
            self._time_bare()

    def _time_bare(self) -> None:
        start = time.process_time()
        self.bare.epoch()
        self.seconds["bare"].append(time.process_time() - start)

    def evaluate(self, *arguments: Any, **options: Any) -> dict[str, float]:
        """Evaluate, and leave the time out."""
        start = time.process_time()
        metrics = super().evaluate(*arguments, **options)
        self._apart += time.process_time() - start
        return metrics

    def _save_checkpoint(self, *arguments: Any) -> None:
        start = time.process_time()
        super()._save_checkpoint(*arguments)
        self._apart += time.process_time() - start


def main() -> None:
    """Time both, and print them."""
    arguments = _arguments()
    torch.set_num_threads(1)
    registry = Registry.discover()
    rows = []
    for name in arguments.space:
        space = registry.create("space", name, {"image_size": arguments.image_size, "classes": 10})
        task = registry.create("task", "cv/image-classification")
        for params in arguments.params:
            arch = _architecture(space, params * 1e6)
            if arch is None:
                continue
            rows.append({"space": name, **_measure(space, arch, task, arguments)})
            if not arguments.json:
                print(_line(rows[-1]), flush=True)
    if arguments.json:
        print(json.dumps(rows, indent=2))


def network_of(plan: Plan, data: TaskData[Any]) -> torch.nn.Module:
    """Return the network with fresh weights."""
    structure = build_network(plan.space, plan.arch, task=plan.task, facts=data.facts)
    return plan.space.load(structure, plan.arch, seed=0)


def _measure(
    space: SearchSpace, arch: Architecture, task: Task[Any], arguments: argparse.Namespace
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "example").mkdir()
        read = task.read(arguments.data or task.example(folder / "example", space), space)
        batch_size = arguments.batch_size
        assert read.train is not None
        data = TaskData(
            train=Repeated(read.train, batch_size * arguments.steps),
            valid=Repeated(read.valid, batch_size),
            facts=read.facts,
        )
        given = {"epochs": arguments.pairs + 1, "batch_size": batch_size, "workers": 0}
        plan = Plan(
            space=space,
            arch=arch,
            task=task,
            settings=make_settings(task.id, task.recipe, given),
            data=folder,
        )
        engine = TimedEngine(
            plan,
            data,
            TrainableNetwork(
                network_of(plan, data), space, task, label_smoothing=plan.settings.label_smoothing
            ),
            directory=folder / "out",
            batch_size=batch_size,
            workers=0,
            interruption=Interruption(),
            keep=lambda network, progress: None,
        )
        engine.seconds = {"engine": [], "bare": [], "apart": []}
        engine.bare = BareLoop(plan, data)
        engine.run(None)
    seconds = {which: values[1:] for which, values in engine.seconds.items()}
    ratios = sorted(b / e for b, e in zip(seconds["bare"], seconds["engine"], strict=True))
    samples = batch_size * arguments.steps
    return {
        "params": int(space.cost(arch)["params"]),
        "engine_samples_per_second": samples / statistics.median(seconds["engine"]),
        "bare_samples_per_second": samples / statistics.median(seconds["bare"]),
        "ratio": statistics.median(ratios),
        "lowest_ratio": ratios[0],
        "highest_ratio": ratios[-1],
        "step_ms": 1000 * statistics.median(seconds["engine"]) / arguments.steps,
        "apart_seconds_per_epoch": statistics.median(seconds["apart"]),
    }


def _architecture(space: SearchSpace, largest: float) -> Architecture | None:
    """Return the largest of some samples within the limit."""
    rng = random.Random(0)
    samples = [space.smallest(), *(space.sample(rng) for _ in range(200))]
    costs = [(space.cost(arch)["params"], arch.key, arch) for arch in samples if arch is not None]
    within = [cost for cost in costs if cost[0] <= largest]
    return max(within)[2] if within else None


def _line(row: dict[str, Any]) -> str:
    return (
        f"{row['space']:<12} {row['params'] / 1e6:6.2f} M  engine {row['engine_samples_per_second']:8.1f}/s  "
        f"bare {row['bare_samples_per_second']:8.1f}/s  ratio {row['ratio']:.3f} "
        f"({row['lowest_ratio']:.3f} to {row['highest_ratio']:.3f})  {row['step_ms']:.1f} ms a step  "
        f"evaluation and checkpoint {row['apart_seconds_per_epoch']:.3f} s"
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--space", nargs="+", default=["cv/cnn", "cv/vit:tiny"])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--params", nargs="+", type=float, default=[0.3, 1.0, math.inf], help="Millions")
    parser.add_argument("--image-size", type=int, default=32)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--steps", type=int, default=6, help="Steps of an epoch")
    parser.add_argument("--pairs", type=int, default=7, help="Pairs of epochs")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
