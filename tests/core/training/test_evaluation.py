"""Predictions of a whole split: of batches of several widths, and decoded only where that is asked for."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from denas_points.space import Mlp
from denas_points.task import Side
from torch import Tensor, nn

from denas_core.contracts.space import SearchSpace
from denas_core.contracts.split import Split
from denas_core.models.trained import build_network
from denas_core.training.evaluation import evaluate_network
from denas_core.values.batch import Batch, Outputs, joined

from .trainings import make_plan, run, small, write_points


@dataclasses.dataclass(kw_only=True)
class Counting(Side):
    """Predicts as many numbers a sample as its batch has samples, and sees that they come back with their targets."""

    def collate(self, samples: Any, rng: Any = None) -> tuple[Batch, dict[str, Tensor]]:
        batch, targets = super().collate(samples, rng)
        width = len(samples)
        return batch, {**targets, "row": torch.arange(1, width + 1).repeat(width, 1)}

    def predict(self, outputs: Outputs) -> Tensor:
        width = len(outputs.features)
        return torch.arange(1, width + 1).repeat(width, 1)

    def metrics(
        self, predictions: Tensor, targets: Mapping[str, Tensor], split: Split[Any]
    ) -> dict[str, float]:
        assert torch.equal(predictions, targets["row"])
        return {
            "accuracy": float(predictions.clamp_min(0).sum()),
            "absent": float((predictions == -1).sum()),
        }


@dataclasses.dataclass(kw_only=True)
class Decoding(Side):
    """Says the side of every point to be 0, unless it is decoded: then it asks the network again, and says 1."""

    def predict(self, outputs: Outputs) -> Tensor:
        return super().predict(outputs) * 0

    def decode(
        self, space: SearchSpace, network: nn.Module, batch: Batch, outputs: Outputs, split: Split[Any]
    ) -> Tensor:
        assert not network.training and len(split) == 5
        again = space.forward(network, batch)
        assert torch.equal(again.logits["logits"], outputs.logits["logits"])
        return self.predict(outputs) + 1


def measured(task: Side, folder: Path, **options: Any) -> dict[str, float]:
    space = Mlp()
    data = task.read(write_points(folder / "points", 20), space)
    network = space.load(
        build_network(space, small(space), task=task, facts=data.facts), small(space), seed=0
    )
    return evaluate_network(network, space, task, data.valid, **options)


def test_samples_of_several_widths_are_joined_with_minus_one() -> None:
    whole = joined([torch.tensor([[1, 2]]), torch.tensor([[3], [4]]), torch.tensor([[5, 6]])])
    assert whole.tolist() == [[1, 2], [3, -1], [4, -1], [5, 6]]
    assert joined([torch.ones(1, 2, 1), torch.ones(1, 1, 2)]).tolist() == [
        [[1, -1], [1, -1]],
        [[1, 1], [-1, -1]],
    ]
    assert joined([torch.tensor([1.0]), torch.tensor([2.0, 3.0])]).tolist() == [1, 2, 3]


def test_predictions_and_targets_of_batches_of_several_sizes_reach_the_metrics(tmp_path: Path) -> None:
    # 5 points in batches of 3 and 2: 3 rows of 1, 2, 3 and 2 rows of 1, 2 and one that is not there.
    found = measured(Counting(), tmp_path, batch_size=3)
    assert (found["accuracy"], found["absent"]) == (3 * 6 + 2 * 3, 2)


def test_an_evaluation_decodes_unless_it_is_told_not_to(tmp_path: Path) -> None:
    side = measured(Decoding(), tmp_path, batch_size=2)["accuracy"]
    assert measured(Decoding(), tmp_path, batch_size=2, decode=False)["accuracy"] == pytest.approx(1 - side)


def test_training_is_steered_by_what_is_quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Tensor:
        raise AssertionError("a training decodes nothing")

    monkeypatch.setattr(Side, "decode", refuse)
    run(make_plan(write_points(tmp_path / "points"), epochs=1), tmp_path / "training")
