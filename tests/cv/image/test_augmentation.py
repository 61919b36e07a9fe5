"""Crops, flips, RandAugment, erasing and mixing, against Pillow and against what the papers say."""

from __future__ import annotations

import dataclasses
import random
from typing import Any

import numpy
import pytest
import torch
from PIL import Image, ImageEnhance, ImageOps
from torch import Tensor

from denas_cv.image import rand_augment as ra
from denas_cv.image.augmentation import Augmentation, erase_rectangle
from denas_cv.image.geometry import crop_centre, random_box, shift, with_channels
from denas_cv.image.mixing import mix_images
from denas_cv.image.rand_augment import CHANGES, rand_augment

FILL = torch.tensor([10, 20, 30], dtype=torch.uint8).view(3, 1, 1)
BASE = Augmentation(
    size=32,
    crop="none",
    smallest_crop=0.25,
    flip=False,
    operations=0,
    magnitude=9.0,
    erasing=0.0,
    fill=(10, 20, 30),
    centre_crop=1.0,
)


def photo(size: int = 32, seed: int = 0) -> Tensor:
    """Return an image with slopes and noise."""
    generator = torch.Generator().manual_seed(seed)
    slope = torch.linspace(30, 200, size).view(1, 1, size) + torch.tensor([0.0, 20, 40]).view(3, 1, 1)
    return (slope + torch.randn(3, size, size, generator=generator) * 10).clamp(0, 255).byte()


def pillow(image: Tensor) -> Image.Image:
    return Image.fromarray(image.permute(1, 2, 0).contiguous().numpy())


def tensor(image: Image.Image) -> Tensor:
    return torch.from_numpy(numpy.array(image)).permute(2, 0, 1)


def difference(first: Tensor, second: Tensor) -> int:
    return int((first.int() - second.int()).abs().max())


class Sign(random.Random):
    """Random numbers that take the upper or the lower sign."""

    def __init__(self, upper: bool) -> None:
        super().__init__(0)
        self.upper = upper

    def random(self) -> float:
        return 0.0 if self.upper else 0.9


@pytest.mark.parametrize("upper", [True, False])
@pytest.mark.parametrize(
    ("change", "enhancer"),
    [
        (ra.brightness, ImageEnhance.Brightness),
        (ra.contrast, ImageEnhance.Contrast),
        (ra.saturation, ImageEnhance.Color),
        (ra.sharpness, ImageEnhance.Sharpness),
    ],
)
def test_enhancements_are_those_of_pillow(change: Any, enhancer: Any, upper: bool) -> None:
    factor = 1 + 0.9 * 0.5 * (1 if upper else -1)
    expected = tensor(enhancer(pillow(photo())).enhance(factor))
    # Pillow cuts fractions off, and its grey is in whole numbers.
    assert difference(change(photo(), 0.5, Sign(upper), FILL), expected) <= 2


def test_equalize_and_auto_contrast_are_those_of_pillow() -> None:
    rng = random.Random(0)
    for image in (photo(), photo(64, 1), torch.full((3, 8, 8), 7, dtype=torch.uint8)):
        equal = tensor(ImageOps.equalize(pillow(image)))
        assert torch.equal(ra.equalize(image, 0.5, rng, FILL), equal)
        assert (
            difference(ra.auto_contrast(image, 0.5, rng, FILL), tensor(ImageOps.autocontrast(pillow(image))))
            <= 1
        )


@pytest.mark.parametrize("strength", [0.0, 0.25, 0.5, 1.0])
def test_solarize_and_posterize_are_those_of_pillow(strength: float) -> None:
    rng = random.Random(0)
    solarized = tensor(ImageOps.solarize(pillow(photo()), 256 - round(256 * strength)))
    assert torch.equal(ra.solarize(photo(), strength, rng, FILL), solarized)
    posterized = tensor(ImageOps.posterize(pillow(photo()), 8 - round(4 * strength)))
    assert torch.equal(ra.posterize(photo(), strength, rng, FILL), posterized)


def test_moves_are_as_far_as_the_paper_says_and_what_comes_in_is_the_fill() -> None:
    image = torch.full((3, 20, 20), 200, dtype=torch.uint8)
    moved = ra.translate_x(image, 1.0, Sign(True), FILL)
    # 0.45 of 20 pixels.
    assert (moved[:, :, -9:] == FILL).all()
    assert (moved[:, :, :-9] == 200).all()
    assert (ra.translate_y(image, 1.0, Sign(False), FILL)[:, :9] == FILL).all()


def test_rotation_is_that_of_pillow() -> None:
    image = photo(64)
    found = ra.rotate(image, 0.5, Sign(True), FILL)
    turned = [
        tensor(pillow(image).rotate(angle, Image.Resampling.BILINEAR, fillcolor=(10, 20, 30)))
        for angle in (15, -15)
    ]
    inner = slice(16, 48)
    errors = [float((found.float() - t.float())[:, inner, inner].abs().mean()) for t in turned]
    # Pillow cuts fractions off.
    assert min(errors) < 0.6
    assert max(errors) > 5


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_every_change_keeps_form_and_original(change: Any, channels: int) -> None:
    for image in (photo()[:channels], torch.zeros(channels, 5, 7, dtype=torch.uint8), photo(2)[:channels]):
        kept = image.clone()
        for strength in (0.0, 0.9, 1.0):
            for seed in range(3):
                found = change(image, strength, random.Random(seed), FILL[:channels])
                assert (found.shape, found.dtype) == (image.shape, torch.uint8)
        assert torch.equal(image, kept)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_no_strength_is_no_change_but_for_those_that_have_none(change: Any) -> None:
    if change in (ra.equalize, ra.auto_contrast):
        pytest.skip("it has no strength")
    assert difference(change(photo(), 0.0, random.Random(0), FILL), photo()) <= 1


def test_rand_augment_draws_every_change_and_as_many_as_asked() -> None:
    seen = set()
    for seed in range(200):
        drawn = random.Random(seed).choices(CHANGES, k=2)
        seen |= {change.__name__ for change in drawn}
        rng = random.Random(seed)
        found = rand_augment(photo(), rng, operations=2, magnitude=9, fill=FILL)
        image, rng = photo(), random.Random(seed)
        rng.choices(CHANGES, k=2)
        for change in drawn:
            image = change(image, 0.9, rng, FILL)
        assert torch.equal(found, image)
    assert len(seen) == len(CHANGES) == 14


def test_a_random_crop_of_the_padded_image_moves_it_by_at_most_an_eighth() -> None:
    image = photo()
    padded = FILL.expand(3, 40, 40).clone()
    padded[:, 4:36, 4:36] = image
    crops = {
        (top, left): padded[:, top : top + 32, left : left + 32] for top in range(9) for left in range(9)
    }
    augmentation = dataclasses.replace(BASE, crop="pad")
    seen = set()
    for seed in range(400):
        found = augmentation.apply(image, random.Random(seed))
        [place] = [place for place, crop in crops.items() if torch.equal(crop, found)]
        seen.add(place)
    assert len(seen) > 70
    assert torch.equal(shift(image, 0, 0, FILL), image)


def test_every_second_image_is_mirrored() -> None:
    flips = dataclasses.replace(BASE, flip=True)
    found = [flips.apply(photo(), random.Random(seed)) for seed in range(400)]
    mirrored = sum(torch.equal(image, photo().flip(-1)) for image in found)
    assert mirrored + sum(torch.equal(image, photo()) for image in found) == 400
    assert 160 < mirrored < 240


def test_random_boxes_lie_inside_and_have_the_areas_and_aspects_asked_for() -> None:
    areas = []
    for seed in range(500):
        top, left, height, width = random_box(60, 80, random.Random(seed), smallest=0.25)
        assert 0 <= top <= 60 - height
        assert 0 <= left <= 80 - width
        assert 0.72 < width / height < 1.39
        areas.append(height * width / 4800)
    assert min(areas) > 0.24
    assert max(areas) < 1.01
    assert max(areas) - min(areas) > 0.6
    # Nothing fits into a line: the middle of it is taken.
    assert random_box(2, 500, random.Random(0), smallest=0.9) == (0, 249, 2, 2)


def test_an_evaluated_image_is_its_middle() -> None:
    image = torch.zeros(3, 100, 200, dtype=torch.uint8)
    image[:, :, 50:150] = 255
    assert (crop_centre(image, 50, 1.0) == 255).all()
    image = torch.zeros(3, 256, 256, dtype=torch.uint8)
    image[:, 16:240, 16:240] = 255
    # 224 of 256: the border is cut off, but for what resizing would mix in.
    assert (crop_centre(image, 224, 0.875) == 255).all()
    small = photo(32)
    assert torch.equal(crop_centre(small, 32, 0.875), small)
    assert crop_centre(small, 64, 0.875).shape == (3, 64, 64)
    assert crop_centre(torch.zeros(1, 1, 4000, dtype=torch.uint8), 8, 0.875).shape == (1, 8, 8)


def test_resizing_is_that_of_pillow() -> None:
    image = photo(100)
    for size in (32, 150):
        expected = tensor(pillow(image).resize((size, size), Image.Resampling.BILINEAR))
        assert difference(crop_centre(image, size, 1.0), expected) <= 1


def test_channels_become_three_or_one() -> None:
    grey = photo()[:1]
    assert torch.equal(with_channels(grey, 3), torch.cat([grey] * 3))
    assert (
        difference(
            with_channels(photo(), 1), torch.from_numpy(numpy.array(pillow(photo()).convert("L")))[None]
        )
        <= 1
    )
    assert torch.equal(with_channels(photo(), 3), photo())


def test_erasing_puts_noise_into_one_rectangle() -> None:
    image = torch.full((3, 40, 40), 7, dtype=torch.uint8)
    shares = []
    for seed in range(200):
        changed = (erase_rectangle(image, random.Random(seed)) != image).any(0)
        rows, columns = changed.any(1).nonzero().flatten(), changed.any(0).nonzero().flatten()
        area = (rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1)
        # Noise is 7 in all three channels once in 16.7 million pixels.
        assert int(changed.sum()) == int(area)
        shares.append(int(area) / 1600)
    assert min(shares) > 0.01
    assert max(shares) < 0.36
    assert (image == 7).all()
    always = dataclasses.replace(BASE, erasing=1.0)
    half = dataclasses.replace(BASE, erasing=0.5)
    for augmentation, low, high in ((always, 200, 200), (half, 70, 130)):
        found = [augmentation.apply(photo(), random.Random(seed)) for seed in range(200)]
        assert low <= sum(not torch.equal(each, photo()) for each in found) <= high


def constants(*values: float) -> Tensor:
    return torch.tensor(values).view(-1, 1, 1, 1).expand(-1, 3, 16, 16)


def test_mixup_is_a_weighted_mean_of_two_images() -> None:
    pixels = constants(0.0, 1.0, 10.0, 100.0)
    for seed in range(20):
        found, partners, share = mix_images(pixels, random.Random(seed), mixup=0.8, cutmix=0.0)
        assert sorted(partners) == [0, 1, 2, 3]
        assert 0 <= share <= 1
        assert torch.allclose(found, share * pixels + (1 - share) * pixels[partners])


def test_cutmix_pastes_a_rectangle_and_counts_its_pixels() -> None:
    pixels = constants(0.0, 1.0, 2.0, 3.0).clone()
    kept = pixels.clone()
    shares = []
    for seed in range(100):
        found, partners, share = mix_images(pixels, random.Random(seed), mixup=0.0, cutmix=1.0)
        for i, partner in enumerate(partners):
            own = (found[i] == i).float().mean()
            assert float(own) == pytest.approx(1.0 if partner == i else share)
            if partner != i:
                pasted = (found[i, 0] == partner).nonzero()
                sides = pasted.amax(0) - pasted.amin(0) + 1 if len(pasted) else torch.zeros(2)
                assert int(sides.prod()) == len(pasted)
        shares.append(share)
    assert torch.equal(pixels, kept)
    # Beta(1, 1) is uniform; rectangles that stick out make shares larger.
    assert 0.5 < sum(shares) / 100 < 0.8


def test_with_both_every_second_batch_is_of_either_kind() -> None:
    pixels = constants(0.0, 1.0)
    pasted, changed = 0, 0
    for seed in range(400):
        found, partners, _ = mix_images(pixels, random.Random(seed), mixup=0.8, cutmix=1.0)
        if partners != [0, 1]:
            changed += 1
            pasted += torch.equal(found, found.round())
    assert 0.4 < pasted / changed < 0.6
