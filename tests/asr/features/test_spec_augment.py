"""SpecAugment masks what it says, by numbers that it is given."""

from __future__ import annotations

import random

import pytest
import torch
from torch import Tensor

from denas_asr.features.spec_augment import SpecAugment
from tests.asr.signals import noise

FREQUENCY = SpecAugment(time_masks=0)
TIME = SpecAugment(frequency_masks=0)


def features(frames: int = 300, bands: int = 80) -> Tensor:
    return noise(frames * bands).view(frames, bands)


def masked(augment: SpecAugment, x: Tensor, seed: int) -> Tensor:
    """Return which values of `x` a draw has changed."""
    return augment.apply(x, random.Random(seed)) != x


class Fixed(random.Random):
    """Draws the given numbers, one after the other."""

    def __init__(self, *numbers: int) -> None:
        super().__init__()
        self.numbers = list(numbers)
        self.bounds: list[tuple[int, int]] = []

    def randint(self, a: int, b: int) -> int:
        self.bounds.append((a, b))
        return self.numbers.pop(0)


def test_one_mask_of_each_kind_by_hand() -> None:
    x = torch.arange(50.0).view(10, 5)
    rng = Fixed(2, 1, 1, 7)
    found = SpecAugment(frequency_masks=1, time_masks=1, frequency_width=3).apply(x, rng)
    # Width and place of the bands, then of the frames, of which one is at most a fifth of 10.
    assert rng.bounds == [(0, 3), (0, 3), (0, 2), (0, 9)]
    expected = x.clone()
    # The mean of 0 to 49.
    expected[:, 1:3] = 24.5
    expected[7] = 24.5
    assert torch.equal(found, expected)


def test_the_same_numbers_mask_the_same_and_the_features_stay() -> None:
    x = features()
    kept = x.clone()
    draws = [SpecAugment().apply(x, random.Random(seed)) for seed in (3, 3, 4)]
    assert torch.equal(draws[0], draws[1]) and not torch.equal(draws[0], draws[2])
    assert torch.equal(x, kept) and all(draw.shape == x.shape for draw in draws)


def test_masks_are_whole_bands_and_whole_frames_of_the_mean() -> None:
    x = features()
    for seed in range(20):
        found = SpecAugment().apply(x, random.Random(seed))
        hidden = found != x
        bands, frames = hidden.all(0), hidden.all(1)
        assert torch.equal(hidden, bands[None] | frames[:, None])
        assert bool((found[hidden] == x.mean()).all())


@pytest.mark.parametrize(
    ("augment", "axis", "most", "share"),
    # The mean width is half the widest: 4 * 7.5 of 80 bands and 4 * 10 of 300 frames, but for what overlaps.
    [(FREQUENCY, 0, 60, 4 * 7.5 / 80), (TIME, 1, 80, 4 * 10 / 300)],
    ids=["frequency", "time"],
)
def test_the_share_of_what_is_masked(augment: SpecAugment, axis: int, most: int, share: float) -> None:
    x = features()
    counts = [int(masked(augment, x, seed).all(axis).sum()) for seed in range(400)]
    mean = sum(counts) / len(counts) / x.shape[1 - axis]
    # What 4 masks that lie anywhere cover together, a little less of it near the ends.
    expected = 1 - (1 - share / 4) ** 4
    assert 0.85 * expected < mean < share
    assert max(counts) <= most


@pytest.mark.parametrize("frames", [1, 4, 9, 30])
def test_short_utterances_are_not_hidden_altogether(frames: int) -> None:
    x = features(frames)
    for seed in range(50):
        # Four masks of a fifth at most leave a fifth.
        assert int(masked(TIME, x, seed).all(1).sum()) <= 0.8 * frames


def test_no_frames_and_no_masks_leave_features_as_they_are() -> None:
    assert SpecAugment().apply(torch.zeros(0, 80), random.Random(0)).shape == (0, 80)
    x = features(5)
    assert torch.equal(SpecAugment(frequency_masks=0, time_masks=0).apply(x, random.Random(0)), x)
