"""What a smaller network keeps of a checkpoint before and after fine-tuning, for several ways to inherit weights.

    python benchmarks/shrinking.py --model minilm --data SST-2 --way first=space.inherit=leading --table shrinking.csv

For each network of ``--arch`` and each way of ``--way``, a name with settings of the space, three numbers without
fine-tuning: the cosine of its representations with those of the checkpoint, where features that it lacks count as 0;
the same after the best linear map, which is fitted on the training samples; and the accuracy of a logistic regression
on its frozen representations. A representation is the mean of the last hidden states. All numbers are of the samples
that the data set keeps for evaluation. With ``--epochs``, networks are then fine-tuned at each ``--rate`` and
``--seed``.

Every row is written to the table as soon as it is known, and a row that is already there is not computed again. The
representations of the checkpoint are kept beside the table.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from comparing import denas, settings
from rows import add_row, cpu_seconds, rows_of
from torch import Tensor
from torch.nn import functional

from denas_core import Registry, SearchSpace, Task, expand_mask
from denas_core.setup.config import apply_settings

ARCHS = (
    '{"layers": 5, "heads": 9, "intermediate": 768}',
    '{"layers": 4, "heads": 9, "intermediate": 1152}',
    '{"layers": 6, "heads": 8, "intermediate": 1152}',
)
"""Networks of a MiniLM with six layers that have at most 0.6 times its parameters."""

COLUMNS = ("network", "way", "rate", "seed", "share", "cosine", "mapped", "unlike", "accuracy", "cpu_seconds")
RIDGE = 1e-2
BATCH = 25
FULL = "checkpoint"


def main() -> None:
    """Measure what the table lacks."""
    options = parsed()
    torch.set_num_threads(1)
    known = {row_key(row) for row in rows_of(options.table)}
    for arch in (*options.arch, FULL):
        for way in options.way:
            for rate, seed in runs_of(options):
                key = (arch, "itself" if arch == FULL else way.partition("=")[0], rate, seed)
                if key in known:
                    continue
                known.add(key)
                begun = cpu_seconds()
                found = fine_tuned(options, arch, way, rate, seed) if rate else untrained(options, arch, way)
                row = dict(zip(COLUMNS, key, strict=False)) | found
                add_row(options.table, COLUMNS, row | {"cpu_seconds": f"{cpu_seconds() - begun:.0f}"})


def parsed() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--data", type=Path, required=True, help="data set of the task")
    parser.add_argument("--task", default="nlp/sst2")
    parser.add_argument(
        "--arch", action="append", default=[], metavar="JSON", help="network; may be repeated"
    )
    parser.add_argument("--way", action="append", required=True, metavar="NAME=KEY=VALUE,...")
    parser.add_argument("--epochs", type=int, default=0, help="epochs of fine-tuning; 0 for none")
    parser.add_argument("--rate", action="append", default=[], help="learning rate of fine-tuning")
    parser.add_argument("--seeds", type=int, default=1, help="seeds of fine-tuning")
    parser.add_argument(
        "--train", action="append", default=[], metavar="KEY=VALUE", help="setting of the fine-tuning"
    )
    parser.add_argument(
        "--limit", type=int, default=2000, help="samples of each split for the numbers without fine-tuning"
    )
    parser.add_argument("--table", type=Path, required=True)
    options = parser.parse_args()
    options.arch = options.arch or list(ARCHS)
    options.model, options.data = options.model.resolve(), options.data.resolve()
    return options


def runs_of(options: argparse.Namespace) -> list[tuple[str, str]]:
    """Return rate and seed of each run; an empty rate is a network without fine-tuning."""
    if not options.epochs:
        return [("", "")]
    return [(rate, str(seed)) for seed in range(options.seeds) for rate in options.rate or ["5e-5"]]


def space_of(options: argparse.Namespace, way: str) -> SearchSpace:
    """Return the space with the settings of a way."""
    document = apply_settings({"space": {"model": str(options.model)}}, settings_of(way))
    space: SearchSpace = Registry.discover().create("space", "hf/auto", document["space"])
    return space


def settings_of(way: str) -> list[str]:
    """Return the settings of a way, such as ``space.inherit=leading``."""
    return [setting for setting in way.partition("=")[2].split(",") if setting]


def untrained(options: argparse.Namespace, arch: str, way: str) -> dict[str, Any]:
    """Return what a network without fine-tuning is worth."""
    space, task = space_of(options, way), Registry.discover().create("task", options.task)
    data = task.read(options.data, space)
    full = space.full()
    assert full is not None and data.train is not None
    chosen = full if arch == FULL else space.architecture(json.loads(arch))
    splits = {
        "train": (data.train, in_order_of_length(data.train, options.limit)),
        "valid": (data.valid, in_order_of_length(data.valid, options.limit)),
    }
    cache = options.table.with_suffix(".pt")
    if not cache.is_file():
        torch.save({name: represented(space, task, full, *split) for name, split in splits.items()}, cache)
    known = torch.load(cache, weights_only=True)
    large = {name: features for name, (features, _) in known.items()}
    labels = {name: targets for name, (_, targets) in known.items()}
    if arch == FULL:
        small = large
    else:
        small = {name: represented(space, task, chosen, *split)[0] for name, split in splits.items()}
    mapping = ridge(small["train"], large["train"])
    placed = in_place(space, chosen, small["valid"], large["valid"].shape[1])
    return {
        "share": f"{space.cost(chosen)['params'] / space.cost(full)['params']:.3f}",
        "cosine": f"{cosine(placed, large['valid']):.4f}",
        "mapped": f"{cosine(with_ones(small['valid']) @ mapping, large['valid']):.4f}",
        "unlike": f"{cosine(large['valid'].roll(1, 0), large['valid']):.4f}",
        "accuracy": f"{probe_accuracy(small, labels):.4f}",
    }


@torch.no_grad()
def represented(
    space: SearchSpace, task: Task[Any], arch: Any, samples: Any, order: Sequence[int]
) -> tuple[Tensor, Tensor]:
    """Return the mean of the last hidden states of some samples, (samples, features), and their labels."""
    with torch.device("meta"):
        structure = space.build(arch)
    network = space.reconstruct(space.load(structure, arch, seed=0, weights="inherited"), arch).eval()
    found, labels = [], []
    for begin in range(0, len(order), BATCH):
        batch, targets = task.collate([samples.sample(index) for index in order[begin : begin + BATCH]])
        outputs = space.forward(network, batch)
        mask = outputs.masks.get("features")
        weights = torch.ones_like(outputs.features[..., :1])
        if mask is not None:
            weights = expand_mask(mask, outputs.features)
        found.append((outputs.features * weights).sum(1) / weights.sum(1))
        labels.append(next(iter(targets.values())))
    return torch.cat(found).double(), torch.cat(labels).long()


def in_order_of_length(samples: Any, limit: int) -> list[int]:
    """Return the first samples, up to a limit, from short to long, so that batches need little padding."""
    return sorted(range(min(limit, len(samples))), key=lambda index: samples.length(index) or 0)


def in_place(space: Any, arch: Any, features: Tensor, width: int) -> Tensor:
    """Return the features at the places that they have in the checkpoint, with 0 for those that it lacks."""
    kept = space.kept_features(arch)
    placed = features.new_zeros(len(features), width)
    placed[:, list(kept)] = features
    return placed


def cosine(one: Tensor, other: Tensor) -> float:
    """Return the mean cosine of rows."""
    return float(functional.cosine_similarity(one, other).mean())


def with_ones(features: Tensor) -> Tensor:
    """Return the features with a column of ones."""
    return torch.cat([features, torch.ones_like(features[:, :1])], 1)


def ridge(inputs: Tensor, outputs: Tensor) -> Tensor:
    """Return the matrix with which the inputs and a column of ones give the outputs best."""
    inputs = with_ones(inputs)
    gram = inputs.T @ inputs
    return torch.linalg.solve(
        gram + RIDGE * gram.diagonal().mean() * torch.eye(len(gram)), inputs.T @ outputs
    )


def probe_accuracy(features: Mapping[str, Tensor], labels: Mapping[str, Tensor]) -> float:
    """Return the accuracy of a logistic regression on standardised features, with a decay of 0.01."""
    mean, deviation = features["train"].mean(0), features["train"].std(0)
    train, valid = (with_ones((features[name] - mean) / deviation) for name in ("train", "valid"))
    weights = torch.zeros(
        train.shape[1], int(labels["train"].max()) + 1, dtype=train.dtype, requires_grad=True
    )
    optimizer = torch.optim.LBFGS([weights], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = functional.cross_entropy(train @ weights, labels["train"]) + 0.01 * weights.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    return float(((valid @ weights).argmax(1) == labels["valid"]).double().mean())


def fine_tuned(options: argparse.Namespace, arch: str, way: str, rate: str, seed: str) -> dict[str, Any]:
    """Return the accuracy of a network after fine-tuning."""
    space = space_of(options, way)
    full = space.full()
    assert full is not None
    chosen = full if arch == FULL else space.architecture(json.loads(arch))
    folder = options.table.with_suffix("") / f"{chosen.key[:12]}-{way.partition('=')[0]}-{rate}-{seed}"
    result = denas(
        *("train", "hf/auto", "--arch", json.dumps(chosen.as_dict()), "--task", options.task),
        *("--data", str(options.data), "--epochs", str(options.epochs), "--seed", seed, "--device", "cpu"),
        *(
            "--out",
            str(folder),
            "-q",
            "--set",
            f"space.model={options.model}",
            "--set",
            f"training.lr={rate}",
        ),
        *settings([*settings_of(way), *options.train]),
    )
    share = space.cost(chosen)["params"] / space.cost(full)["params"]
    return {"share": f"{share:.3f}", "accuracy": f"{result['metrics']['accuracy']:.4f}"}


def row_key(row: Mapping[str, str]) -> tuple[str, ...]:
    """Return what identifies a row."""
    return tuple(row[name] for name in COLUMNS[:4])


if __name__ == "__main__":
    main()
