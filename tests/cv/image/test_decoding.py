"""Image files of every kind, upright and in 8 bits; damaged ones are named."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest
import torch
from PIL import Image

from denas_core.errors import ConfigError
from denas_cv.image.decoding import UnreadableImage, decode

RED, BLUE = (255, 0, 0), (0, 0, 255)


def two_halves(mode: str = "RGB") -> Image.Image:
    """Return 4 x 2 pixels, red on the left and blue on the right."""
    image = Image.new("RGB", (4, 2), RED)
    image.paste(BLUE, (2, 0, 4, 2))
    return image.convert(mode)


@pytest.mark.parametrize("suffix", ["png", "bmp", "tiff", "ppm", "gif"])
@pytest.mark.parametrize("mode", ["RGB", "P"])
def test_colours_come_as_they_are(tmp_path: Path, suffix: str, mode: str) -> None:
    path = tmp_path / f"image.{suffix}"
    if (suffix, mode) == ("ppm", "P"):
        pytest.skip("the format has no palette")
    two_halves(mode).save(path)
    found = decode(str(path))
    assert (found.shape, found.dtype) == ((3, 2, 4), torch.uint8)
    assert found[:, 0, 0].tolist() == list(RED)
    assert found[:, 1, 3].tolist() == list(BLUE)


@pytest.mark.parametrize(
    ("mode", "suffix"), [("YCbCr", "jpg"), ("CMYK", "jpg"), ("CMYK", "tiff"), ("LAB", "tiff")]
)
def test_other_colour_spaces_come_near(tmp_path: Path, mode: str, suffix: str) -> None:
    from PIL import ImageCms

    image = Image.new("RGB", (16, 16), RED)
    if mode == "LAB":
        image = ImageCms.profileToProfile(
            image, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
        )
    else:
        image = image.convert(mode)
    path = tmp_path / f"image.{suffix}"
    image.save(path)
    red, green, blue = decode(str(path))[:, 8, 8].tolist()
    assert red > 230
    assert max(green, blue) < 40


@pytest.mark.parametrize(
    ("mode", "value", "expected"),
    [("L", 77, 77), ("1", 1, 255), ("I;16", 0x8000, 0x80), ("I;16B", 0x4000, 0x40), ("I", 0xFFFF, 255)],
)
def test_grey_images_have_one_channel(tmp_path: Path, mode: str, value: int, expected: int) -> None:
    path = tmp_path / ("image.tiff" if mode in ("I", "I;16B") else "image.png")
    Image.new(mode, (3, 2), value).save(path)
    found = decode(str(path))
    assert found.shape == (1, 2, 3)
    assert found.unique().tolist() == [expected]


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_what_is_transparent_is_white(tmp_path: Path, mode: str) -> None:
    image = Image.new("RGBA", (2, 1), (10, 10, 10, 255))
    # Black below the transparency, as drawing programs leave it.
    image.putpixel((1, 0), (0, 0, 0, 0))
    path = tmp_path / "image.png"
    (image.convert(mode) if mode != "PA" else image.quantize()).save(path)
    found = decode(str(path))
    assert found.shape[0] == (1 if mode == "LA" else 3)
    assert found[:, 0, 0].unique().tolist() == [10]
    assert found[:, 0, 1].unique().tolist() == [255]


def test_a_palette_with_one_transparent_colour_is_laid_on_white(tmp_path: Path) -> None:
    path = tmp_path / "image.gif"
    image = two_halves("P")
    image.save(path, transparency=image.getpixel((0, 0)))
    assert decode(str(path))[:, 0, 0].tolist() == [255, 255, 255]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_are_turned_as_their_exif_says(tmp_path: Path, orientation: int) -> None:
    # A corner is white; the EXIF standard says where it is to be seen.
    stored = numpy.zeros((8, 16, 3), dtype=numpy.uint8)
    stored[:4, :4] = 255
    corners = {1: (0, 0), 2: (0, 1), 3: (1, 1), 4: (1, 0), 5: (0, 0), 6: (0, 1), 7: (1, 1), 8: (1, 0)}
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "image.jpg"
    Image.fromarray(stored).save(path, exif=exif, quality=95)
    found = decode(str(path))
    assert found.shape == ((3, 8, 16) if orientation < 5 else (3, 16, 8))
    bottom, right = corners[orientation]
    assert int(found[0, -2 if bottom else 1, -2 if right else 1]) > 200
    assert int(found[0, 1 if bottom else -2, 1 if right else -2]) < 50


def test_the_pixels_are_those_of_the_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "image.png"
    two_halves().save(path)
    decode(str(path)).zero_()
    assert decode(str(path))[0, 0, 0] == 255


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tiff", "gif", "bmp"])
def test_cut_and_foreign_files_are_named(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"image.{suffix}"
    noise = numpy.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(numpy.uint8)
    Image.fromarray(noise).save(path)
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"this is no image", whole[:20]):
        path.write_bytes(content)
        said = (
            r"cannot be read: .*; replace or remove it; task\.skip_corrupt=true leaves it out of a training"
        )
        with pytest.raises(UnreadableImage, match=said) as caught:
            decode(str(path))
        assert f"image.{suffix}" in str(caught.value)


def test_bytes_changed_anywhere_are_an_image_or_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "image.png"
    two_halves("P").save(path)
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x41]) + whole[place + 1 :])
        try:
            assert decode(str(path)).dtype == torch.uint8
        except ConfigError as error:
            assert "image.png" in str(error)


def test_pixels_without_an_8_bit_form_are_refused(tmp_path: Path) -> None:
    path = str(tmp_path / "image.tiff")
    Image.new("F", (2, 2), 0.5).save(path)
    with pytest.raises(UnreadableImage, match="floating-point"):
        decode(path)
    Image.new("I", (2, 2), 70000).save(path)
    with pytest.raises(UnreadableImage, match="more than 16 bits"):
        decode(path)


def test_a_file_that_went_away_is_no_damaged_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.png' cannot be read: No such file") as caught:
        decode(str(tmp_path / "gone.png"))
    assert not isinstance(caught.value, UnreadableImage)
