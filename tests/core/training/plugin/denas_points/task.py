"""On which side of a curve a point lies: lines of ``x y label``, of which every fourth is to measure on."""

import dataclasses
import os
import time
from pathlib import Path
from typing import ClassVar

from denas_core.contracts.component import option
from denas_core.contracts.split import Split
from denas_core.contracts.task import Metric, Task, TaskData
from denas_core.errors import ConfigError
from denas_core.values.description import DataDescription


class Points(Split):
    def __init__(self, rows, jitter):
        self.rows, self.jitter = rows, jitter

    def __len__(self):
        return len(self.rows)

    def sample(self, index, rng=None):
        x, y, label = self.rows[index]
        if label < 0:
            raise ConfigError(f"point {index} has no side; give it one")
        if rng is not None and self.jitter:
            x, y = rng.gauss(x, self.jitter), rng.gauss(y, self.jitter)
        return x, y, label


@dataclasses.dataclass(kw_only=True)
class Side(Task):
    """The side of a point."""

    metric: ClassVar = Metric(name="accuracy", is_share=True)
    recipe: ClassVar = {"lr": 0.05, "batch_size": 16}

    jitter: float = option(0.1, "Spread of the noise on points to learn from", at_least=0)
    mix: bool = option(False, "Lay two points of a batch over each other")
    skip: bool = option(False, "Leave out points that have no side")

    def why_unsuitable(self, space):
        shape = space.batch(1, seed=0, kind="cost").inputs.get("x")
        return "" if shape is not None and tuple(shape.shape) == (1, 2) else "its input is not a point"

    def read(self, data, space, *, facts=None):
        try:
            lines = data.read_text().split("\n")
        except OSError as error:
            raise ConfigError(
                f"cannot read {str(data)!r}: {error.strerror}; name a file of points"
            ) from error
        rows = [(float(x), float(y), int(label)) for x, y, label in map(str.split, filter(None, lines))]
        every = len(rows)
        if self.skip:
            rows = [row for row in rows if row[2] >= 0]
        skipped = every - len(rows)
        labels = sorted({label for _, _, label in rows if label >= 0})
        if facts is not None and facts["labels"] != labels:
            raise ConfigError(f"{str(data)!r} has the labels {labels}, the model {facts['labels']}")
        return TaskData(
            train=None if facts else Points([r for i, r in enumerate(rows) if i % 4], self.jitter),
            valid=Points(rows[::4], 0.0),
            facts={"labels": labels},
            notices=[f"{skipped} of {every} points have no side"] if skipped else [],
        )

    def describe(self, data):
        """Data of this task have a name that ends in ``.txt``, and three numbers in their first line."""
        if not data.is_file() or data.suffix != ".txt":
            return None
        rows = [line.split() for line in data.read_text().split("\n") if line]
        if len(rows[0]) != 3:
            return None
        labels = [int(row[2]) for row in rows]
        if min(labels) < 0 and not self.skip:
            raise ConfigError(f"{str(data)!r} has a point without a side")
        return DataDescription(
            format="points with a side",
            samples={"train": len(rows) - len(rows[::4]), "valid": len(rows[::4])},
            labels={str(label): labels.count(label) for label in sorted(set(labels))},
            space_options={"classes": len(set(labels)), "dropout": 2.0, "image_size": 32},
            spaces=("points/deep",),
            notices=["lines without text are not read"],
        )

    def head(self, width, facts):
        from torch import nn

        return nn.Linear(width, len(facts["labels"]))

    def collate(self, samples, rng=None):
        """A test that stops a training midway makes each batch take a while, which changes nothing else."""
        import torch

        from denas_core.values.batch import Batch

        time.sleep(float(os.environ.get("DENAS_POINTS_PAUSE", 0)))
        x = torch.tensor([sample[:2] for sample in samples])
        if self.mix and rng is not None:
            x = x + rng.random() * 0.1 * x.flip(0)
        return Batch(inputs={"x": x}), {"label": torch.tensor([sample[2] for sample in samples])}

    def loss(self, outputs, targets, *, label_smoothing=0.0):
        from torch.nn import functional

        return functional.cross_entropy(
            outputs.logits["logits"], targets["label"], label_smoothing=label_smoothing
        )

    def predict(self, outputs):
        if begun := os.environ.get("DENAS_POINTS_PREDICTING"):
            Path(begun).touch()
        time.sleep(float(os.environ.get("DENAS_POINTS_SLOW", 0)))
        return outputs.logits["logits"].argmax(-1)

    def metrics(self, predictions, targets, split):
        assert len(predictions) == len(split)
        return {"accuracy": float((predictions == targets["label"]).double().mean())}

    def chance(self, targets, split):
        # Short trainings learn little, so only tests of this ask for it.
        if "DENAS_POINTS_CHANCE" not in os.environ:
            return None
        counts = targets["label"].bincount()
        return float(counts.max() / counts.sum())
