"""Batches and augmentation are decided by seed, epoch and sample alone."""

from __future__ import annotations

from pathlib import Path

import torch
from denas_points.task import Points, Side

from denas_core.training.data import Draw, Draws, EpochBatches, training_loader


def batches(samples: int, size: int, *, epoch: int = 0, **options: int) -> list[list[Draw]]:
    found = EpochBatches(samples, size, seed=options.pop("seed", 0), shuffle=True, **options)
    found.set_epoch(epoch)
    return list(found)


def indices(found: list[list[Draw]]) -> list[int]:
    return [draw.sample for batch in found for draw in batch]


def test_an_epoch_draws_each_sample_at_most_once_in_whole_batches() -> None:
    found = batches(103, 10)
    assert [len(batch) for batch in found] == [10] * 10
    assert len(set(indices(found))) == 100 and set(indices(found)) <= set(range(103))


def test_the_order_differs_by_epoch_and_seed_and_repeats() -> None:
    orders = [indices(batches(50, 5, epoch=e, seed=s)) for e in (0, 1) for s in (0, 1)]
    assert len({tuple(order) for order in orders}) == 4
    assert indices(batches(50, 5, epoch=1, seed=1)) == orders[3]


def test_processes_share_each_batch() -> None:
    whole = batches(40, 8)
    parts = [batches(40, 8, rank=rank, world=2) for rank in (0, 1)]
    assert [first + second for first, second in zip(*parts, strict=True)] == whole


def test_augmentation_depends_on_seed_epoch_and_sample() -> None:
    points = Points([(0.5, 0.5, 1)] * 4, jitter=1.0)
    drawn = Draws(points, seed=0)
    one = drawn.__getitems__([Draw(0, 0, 0), Draw(0, 0, 1)])[1]
    assert one[0] != one[1]
    assert drawn.__getitems__([Draw(0, 3, 1)])[1][0] == one[1]
    assert drawn.__getitems__([Draw(1, 0, 0)])[1][0] != one[0]
    assert Draws(points, seed=1).__getitems__([Draw(0, 0, 0)])[1][0] != one[0]


def test_augmentation_across_samples_repeats_on_every_process(tmp_path: Path) -> None:
    points = Points([(i / 9, 0.0, i % 2) for i in range(9)], jitter=0.0)

    def first(epoch: int, workers: int) -> torch.Tensor:
        loader = training_loader(
            points, Side(mix=True), EpochBatches(9, 4, seed=0, shuffle=False), seed=0, workers=workers
        )
        loader.set_epoch(epoch)
        return next(iter(loader))["batch"].inputs["x"]  # type: ignore[no-any-return]

    assert torch.equal(first(1, 0), first(1, 1))
    assert not torch.equal(first(0, 0), first(1, 0))
    plain = training_loader(
        points, Side(mix=False), EpochBatches(9, 4, seed=0, shuffle=False), seed=0, workers=0
    )
    assert not torch.equal(first(0, 0), next(iter(plain))["batch"].inputs["x"])


def test_the_global_generator_is_left_alone() -> None:
    loader = training_loader(
        Points([(0.0, 0.0, 0)] * 8, 0.1), Side(), EpochBatches(8, 4, seed=0, shuffle=True), seed=0, workers=0
    )
    before = torch.get_rng_state()
    assert len(list(loader)) == 2
    assert torch.equal(torch.get_rng_state(), before)
