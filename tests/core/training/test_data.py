"""Batches and augmentation are decided by seed, epoch and sample alone."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

import torch
from denas_points.task import Points, Side

from denas_core.training.data import Draw, Draws, EpochBatches, lengths_of, training_loader


def batches(samples: int, size: int, *, epoch: int = 0, **options: Any) -> list[list[Draw]]:
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


def durations(samples: int) -> list[float]:
    """From 2 to 17 s, as utterances are."""
    rng = random.Random(0)
    return [rng.uniform(2.0, 17.0) for _ in range(samples)]


def padding(found: list[list[Draw]], lengths: list[float]) -> float:
    """Return the share of batches that is padding."""
    rows = [[lengths[draw.sample] for draw in batch] for batch in found]
    return 1 - sum(map(sum, rows)) / sum(max(row) * len(row) for row in rows)


def test_samples_of_similar_length_share_a_batch() -> None:
    lengths = durations(1003)
    plain, batched = batches(1003, 16), batches(1003, 16, lengths=lengths)
    assert padding(plain, lengths) > 0.35
    assert padding(batched, lengths) < 0.06
    # Nothing else changes: whole batches of the samples that the epoch has drawn.
    assert sorted(indices(batched)) == sorted(indices(plain))
    assert [(draw.batch, len(batch)) for batch in batched for draw in batch[:1]] == [
        (i, 16) for i in range(62)
    ]


def test_batches_by_length_differ_by_epoch_and_seed_and_repeat() -> None:
    lengths = durations(200)

    def members(epoch: int, seed: int) -> list[frozenset[int]]:
        found = batches(200, 8, epoch=epoch, seed=seed, lengths=lengths)
        return [frozenset(draw.sample for draw in batch) for batch in found]

    orders = [members(epoch, seed) for epoch in (0, 1) for seed in (0, 1)]
    # Few batches of one epoch are batches of another.
    assert all(len(set(a) & set(b)) < 5 for a, b in itertools.combinations(orders, 2))
    assert members(1, 1) == orders[3]
    # They come in no order of length.
    means = [sum(lengths[i] for i in batch) for batch in orders[0]]
    assert means != sorted(means) and means != sorted(means, reverse=True)


def test_processes_share_each_batch_by_length_and_neither_gets_the_short_half() -> None:
    lengths = durations(400)
    whole = batches(400, 8, lengths=lengths)
    parts = [batches(400, 8, lengths=lengths, rank=rank, world=2) for rank in (0, 1)]
    assert [first + second for first, second in zip(*parts, strict=True)] == whole
    shares = [sum(lengths[i] for i in indices(part)) for part in parts]
    assert abs(shares[0] / shares[1] - 1) < 0.01


def test_samples_that_are_not_shuffled_stay_in_order_whatever_their_length() -> None:
    found = EpochBatches(8, 2, seed=0, shuffle=False, lengths=[8, 1, 7, 2, 6, 3, 5, 4])
    assert indices(list(found)) == list(range(8))


def test_samples_have_lengths_only_if_each_has_one() -> None:
    class Timed(Points):
        def length(self, index: int) -> float | None:
            return [1.5, 2.0, None][index]

    rows = [(0.0, 0.0, 0)] * 3
    assert lengths_of(Points(rows, 0.0)) is None
    assert lengths_of(Timed(rows, 0.0)) is None
    assert lengths_of(Timed(rows[:2], 0.0)) == [1.5, 2.0]


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
