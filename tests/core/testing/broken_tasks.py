"""A task that breaks each promise of a task, by the name of the check that must notice."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import nn
from torch.nn import functional as F

from denas_core.contracts.split import Split
from denas_core.contracts.task import Metric, Task, TaskData
from denas_core.errors import ConfigError
from denas_core.values.batch import Batch

_counter = itertools.count()


class Rows(Split[Any]):
    """Vectors of 12 numbers, each with a label."""

    def __init__(self, rows: list[Any], noise: float = 0.1) -> None:
        self.rows, self.noise = rows, noise

    def __len__(self) -> int:
        return len(self.rows)

    def sample(self, index: int, rng: random.Random | None = None) -> Any:
        values, label = self.rows[index]
        shift = 0.0 if rng is None else rng.gauss(0, self.noise)
        return torch.tensor(values) + shift, label


@dataclasses.dataclass(kw_only=True)
class Vectors(Task[Any]):
    """Tell the class of a vector."""

    metric: ClassVar[Metric] = Metric(name="accuracy")
    recipe: ClassVar[Mapping[str, Any]] = {"epochs": 3}
    rows: ClassVar[Any] = Rows

    def why_unsuitable(self, space: Any) -> str:
        [(_, tensor), *others] = space.batch(1, seed=0, kind="cost").inputs.items()
        return "it takes no vectors of 12 numbers" if others or tensor.shape != (1, 12) else ""

    def example(self, folder: Path, space: Any) -> Path:
        rng = random.Random(0)
        rows = [([rng.random() for _ in range(12)], number % 3) for number in range(8)]
        path = folder / "rows.json"
        path.write_text(json.dumps({"train": rows[:5], "valid": rows[5:]}))
        return path

    def read(self, data: Path, space: Any, *, facts: Mapping[str, Any] | None = None) -> TaskData[Any]:
        try:
            parts = json.loads(data.read_text())
        except OSError as error:
            raise ConfigError(f"there is no {str(data)!r}; write one") from error
        train = None if facts else self.rows(parts["train"])
        return TaskData(train=train, valid=self.rows(parts["valid"]), facts=facts or self.facts())

    def facts(self) -> dict[str, Any]:
        return {"labels": ["a", "b", "c"]}

    def head(self, width: int, facts: Mapping[str, Any]) -> nn.Module | None:
        return nn.Linear(width, len(facts["labels"]))

    def collate(self, samples: Sequence[Any], rng: random.Random | None = None) -> Any:
        vectors = torch.stack([vector for vector, _ in samples])
        if rng is not None:
            vectors = vectors * rng.uniform(0.9, 1.1)
        labels = torch.tensor([label for _, label in samples])
        return Batch(inputs={"x": vectors}, units={"samples": float(len(samples))}), {"label": labels}

    def loss(self, outputs: Any, targets: Any, *, label_smoothing: float = 0.0) -> Any:
        return F.cross_entropy(outputs.logits["logits"], targets["label"], label_smoothing=label_smoothing)

    def predict(self, outputs: Any) -> torch.Tensor:
        return outputs.logits["logits"]

    def metrics(self, predictions: Any, targets: Any, split: Split[Any]) -> Any:
        return {"accuracy": float((predictions.argmax(1) == targets["label"]).double().mean())}


class Sideways(Vectors):
    metric = Metric(name="accuracy", direction="sideways")  # type: ignore[arg-type]


class OwnSettings(Vectors):
    recipe = {"epochs": 3, "vector_rate": 0.1}  # noqa: RUF012


class ReasonWithoutText(Vectors):
    def why_unsuitable(self, space: Any) -> Any:
        return bool(super().why_unsuitable(space))


class FitsAll(Vectors):
    def why_unsuitable(self, space: Any) -> str:
        return super().why_unsuitable(space) if "sample/foreign" not in space.id else ""


class LearnsNothing(Vectors):
    def read(self, data: Path, space: Any, *, facts: Mapping[str, Any] | None = None) -> TaskData[Any]:
        return dataclasses.replace(super().read(data, space, facts=facts), train=None)


class BareErrors(Vectors):
    def read(self, data: Path, space: Any, *, facts: Mapping[str, Any] | None = None) -> TaskData[Any]:
        data.read_text()
        return super().read(data, space, facts=facts)


class TensorFacts(Vectors):
    def facts(self) -> dict[str, Any]:
        return {"labels": ["a", "b", "c"], "mean": torch.zeros(())}


class OtherSplits(Vectors):
    def read(self, data: Path, space: Any, *, facts: Mapping[str, Any] | None = None) -> TaskData[Any]:
        read = super().read(data, space, facts=facts)
        order = [next(_counter) % 5 for _ in range(4)]
        return (
            dataclasses.replace(read, train=Rows([read.train.rows[i] for i in order])) if read.train else read
        )  # type: ignore[attr-defined]


class OwnFacts(Vectors):
    def read(self, data: Path, space: Any, *, facts: Mapping[str, Any] | None = None) -> TaskData[Any]:
        return dataclasses.replace(super().read(data, space, facts=facts), facts={"labels": [str(facts)] * 3})


class Remembering(Rows):
    def sample(self, index: int, rng: random.Random | None = None) -> Any:
        vector, label = super().sample(index, rng)
        before, self.last = getattr(self, "last", 0), index
        return vector + before, label


class RememberingVectors(Vectors):
    rows = Remembering


class Global(Rows):
    def sample(self, index: int, rng: random.Random | None = None) -> Any:
        vector, label = super().sample(index, rng)
        return vector if rng is None else vector + random.random(), label


class GlobalVectors(Vectors):
    rows = Global


class Rooted(Rows):
    def __init__(self, rows: list[Any]) -> None:
        super().__init__(rows)
        self.change = lambda vector: vector


class RootedVectors(Vectors):
    rows = Rooted


class OtherInputs(Vectors):
    def collate(self, samples: Sequence[Any], rng: random.Random | None = None) -> Any:
        batch, targets = super().collate(samples, rng)
        return dataclasses.replace(batch, inputs={"vectors": batch.inputs["x"]}), targets


class InPlace(Vectors):
    def collate(self, samples: Sequence[Any], rng: random.Random | None = None) -> Any:
        for vector, _ in samples:
            vector.mul_(2)
        return super().collate(samples, rng)


class GlobalCollate(Vectors):
    def collate(self, samples: Sequence[Any], rng: random.Random | None = None) -> Any:
        batch, targets = super().collate(samples, rng)
        return dataclasses.replace(batch, inputs={"x": batch.inputs["x"] + torch.rand(())}), targets


class FixedHead(Vectors):
    def head(self, width: int, facts: Mapping[str, Any]) -> nn.Module:
        return nn.Linear(12, len(facts["labels"]))


class Detached(Vectors):
    def loss(self, outputs: Any, targets: Any, *, label_smoothing: float = 0.0) -> Any:
        return super().loss(outputs, targets, label_smoothing=label_smoothing).detach()


class Summed(Vectors):
    def predict(self, outputs: Any) -> torch.Tensor:
        logits = super().predict(outputs)
        return logits - logits.mean(0)


class FirstOnly(Vectors):
    def decode(self, space: Any, network: Any, batch: Batch, outputs: Any, split: Any) -> Any:
        return self.predict(outputs)[:1]


class Nameless(Vectors):
    def metrics(self, predictions: Any, targets: Any, split: Split[Any]) -> Any:
        return {"hits": 1.0}


class TensorMistakes(Vectors):
    def mistakes(self, predictions: torch.Tensor, targets: Any, facts: Mapping[str, Any]) -> Any:
        return {"matrix": predictions}


class ListOfAnswers(Vectors):
    def worst_answers(self, predictions: Any, targets: Any, split: Any, facts: Mapping[str, Any]) -> Any:
        return ["the first one"]


class Reseeding(Vectors):
    def collate(self, samples: Sequence[Any], rng: random.Random | None = None) -> Any:
        os.environ["VECTORS"] = "1"
        return super().collate(samples, rng)


class Chatty(Vectors):
    def collate(self, samples: Sequence[Any], rng: random.Random | None = None) -> Any:
        print("collating")
        return super().collate(samples, rng)


BROKEN: dict[str, Any] = {
    "metric_is_declared": Sideways,
    "recipe_is_plain": OwnSettings,
    "reasons_are_texts": (ReasonWithoutText, FitsAll),
    "data_is_read": LearnsNothing,
    "missing_data_is_named": BareErrors,
    "facts_are_kept": (TensorFacts, OwnFacts),
    "splits_travel": RootedVectors,
    "batches_fit_their_space": OtherInputs,
    "heads_take_the_width": FixedHead,
    "losses_are_scalars": Detached,
    "predictions_join": Summed,
    "decodings_are_predictions": FirstOnly,
    "metrics_are_numbers": Nameless,
    "mistakes_are_plain": (TensorMistakes, ListOfAnswers),
    "it_leaves_the_process_alone": Reseeding,
    "it_prints_nothing": Chatty,
    "it_repeats": (OtherSplits, RememberingVectors, GlobalVectors, GlobalCollate),
    "it_leaves_its_arguments_alone": InPlace,
}
