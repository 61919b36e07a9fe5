from __future__ import annotations

import pytest
import torch

from denas_core.networks.tokens import token_batch
from denas_core.values.batch import Batch, continuous_batch


def test_noise_is_standard_normal_and_repeats_under_its_seed() -> None:
    batch = continuous_batch((3, 20, 20), 10, seed=4, kind="noise")
    noise = batch.inputs["x"]
    assert noise.shape == (10, 3, 20, 20)
    # 12,000 numbers: the standard errors of mean and deviation are 0.009 and 0.006.
    assert abs(noise.mean().item()) < 0.05
    assert abs(noise.std().item() - 1) < 0.03
    assert torch.equal(continuous_batch((3, 20, 20), 10, seed=4, kind="noise").inputs["x"], noise)
    assert not torch.equal(continuous_batch((3, 20, 20), 10, seed=5, kind="noise").inputs["x"], noise)


def test_drawing_a_batch_moves_no_global_generator() -> None:
    before = torch.get_rng_state()
    continuous_batch((4,), 2, seed=0, kind="noise")
    assert torch.equal(torch.get_rng_state(), before)


def test_ones_are_ones_and_cost_is_a_shape_alone() -> None:
    assert torch.equal(continuous_batch((2,), 3, seed=0, kind="ones").inputs["x"], torch.ones(3, 2))
    cost = continuous_batch((2,), 3, seed=0, kind="cost").inputs["x"]
    assert cost.is_meta
    assert cost.shape == (3, 2)


@pytest.mark.parametrize("kind", ["noise", "ones", "cost"])
def test_a_continuous_batch_may_be_perturbed_and_counts_its_samples(kind: str) -> None:
    batch = continuous_batch((2,), 3, seed=0, kind=kind, name="pixels")
    assert list(batch.inputs) == ["pixels"]
    assert batch.perturbable == ("pixels",)
    assert batch.units == {"samples": 3.0}


def test_moving_a_batch_changes_the_type_of_floating_point_numbers_alone() -> None:
    batch = Batch(
        inputs={"x": torch.ones(2, 3), "ids": torch.ones(2, 3, dtype=torch.long)},
        perturbable=("x",),
        masks={"x": torch.ones(2, 3, dtype=torch.bool)},
        lengths={"x": torch.tensor([3, 2])},
        units={"samples": 2.0},
    )
    moved = batch.to(device="meta", dtype=torch.float64)
    assert moved.inputs["x"].dtype == torch.float64
    assert moved.inputs["ids"].dtype == moved.lengths["x"].dtype == torch.int64
    assert moved.masks["x"].dtype == torch.bool
    for tensors in (moved.inputs, moved.masks, moved.lengths):
        assert all(tensor.is_meta for tensor in tensors.values())
    assert (moved.perturbable, moved.units) == (("x",), {"samples": 2.0})
    assert batch.inputs["x"].dtype == torch.float32
    assert not batch.inputs["x"].is_meta


def test_constant_texts_repeat_one_token_each_as_the_original_counts_them() -> None:
    batch = token_batch(3, tokens=5, vocabulary=30522, seed=7, kind="ones")
    assert batch.inputs["input_ids"].tolist() == [[9333] * 5, [9332] * 5, [9331] * 5]
    assert batch.inputs["attention_mask"].tolist() == [[1] * 5] * 3
    assert batch.inputs["token_type_ids"].tolist() == [[0] * 5] * 3
    assert batch.masks["features"].all()
    assert batch.units == {"samples": 3.0, "tokens": 15.0}
    assert batch.positions == 5


@pytest.mark.parametrize("vocabulary", [1, 2, 9, 100, 1124, 30522])
def test_texts_keep_to_the_middle_of_any_vocabulary(vocabulary: int) -> None:
    for kind, size in (("noise", 4), ("ones", 12_000)):
        ids = token_batch(size, tokens=3, vocabulary=vocabulary, seed=1, kind=kind).inputs["input_ids"]
        assert ids.min() >= vocabulary // 8
        assert ids.max() < max(1, vocabulary - vocabulary // 8)


def test_noise_of_texts_comes_from_its_seed_alone() -> None:
    def ids(seed: int) -> torch.Tensor:
        return token_batch(2, tokens=9, vocabulary=100, seed=seed, kind="noise").inputs["input_ids"]

    before = torch.get_rng_state()
    assert torch.equal(ids(3), ids(3))
    assert not torch.equal(ids(3), ids(4))
    assert torch.equal(torch.get_rng_state(), before)


def test_texts_that_are_counted_have_no_mask() -> None:
    batch = token_batch(1, tokens=9, vocabulary=100, seed=0, kind="cost", segments=False)
    assert list(batch.inputs) == ["input_ids"]
    assert batch.inputs["input_ids"].is_meta
    assert not batch.masks
