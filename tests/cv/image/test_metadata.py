"""Metadata never decide whether pixels are read: only the orientation is taken from them."""

from __future__ import annotations

import io
import random
import struct
import zlib
from pathlib import Path

import numpy
import pytest
import torch
from PIL import Image

from denas_core.errors import ConfigError
from denas_cv.image import decoding
from denas_cv.image.decoding import UnreadableImage, decode

WIDTH, HEIGHT = 24, 16
PICTURE = Image.fromarray(
    numpy.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3)).astype(numpy.uint8)
)
UPRIGHT, TURNED = (3, HEIGHT, WIDTH), (3, WIDTH, HEIGHT)


def saved(kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    PICTURE.save(file, kind, **options)  # type: ignore[arg-type]
    return file.getvalue()


def tiff(*entries: tuple[int, int, int, bytes], more: bytes = b"") -> bytes:
    """Return EXIF data with these entries; the offset of `more` is 8 + 2 + 12 * entries + 4."""
    out = b"II*\0" + struct.pack("<IH", 8, len(entries))
    for tag, kind, count, value in entries:
        out += struct.pack("<HHI", tag, kind, count) + value
    return out + bytes(4) + more


TURN = (0x0112, 3, 1, struct.pack("<HH", 6, 0))
# A signed rational of -1/0 as the resolution, as some scanners write it.
SIGNED = tiff(TURN, (0x011A, 10, 1, struct.pack("<I", 38)), more=struct.pack("<ii", -1, 0))
GARBAGE = random.Random(0).randbytes(80)


def jpeg_segment(marker: int, payload: bytes) -> bytes:
    content = saved("JPEG")
    return content[:2] + bytes([0xFF, marker]) + struct.pack(">H", len(payload) + 2) + payload + content[2:]


def png_chunk(name: bytes, payload: bytes, *, wrong_sum: bool = False) -> bytes:
    content, sum_ = saved("PNG"), zlib.crc32(name + payload) ^ wrong_sum
    return (
        content[:33]
        + struct.pack(">I", len(payload))
        + name
        + payload
        + struct.pack(">I", sum_)
        + content[33:]
    )


def webp_chunk(name: bytes, length: int) -> bytes:
    """Return a WebP with EXIF data, whose chunk gets another name and states another length."""
    content = saved("WEBP", exif=b"Exif\0\0" + SIGNED)
    place = content.index(b"EXIF")
    return content[:place] + name + struct.pack("<I", length) + content[place + 8 :]


FILES = {
    "signed rational.jpg": (jpeg_segment(0xE1, b"Exif\0\0" + SIGNED), TURNED),
    "exif cut.jpg": (jpeg_segment(0xE1, b"Exif\0\0II*\0"), UPRIGHT),
    "exif garbage.jpg": (jpeg_segment(0xE1, b"Exif\0\0" + GARBAGE), UPRIGHT),
    "too many entries.jpg": (
        jpeg_segment(0xE1, b"Exif\0\0" + tiff(TURN).replace(b"\1\0", b"\xff\xff", 1)),
        TURNED,
    ),
    "orientation 99.jpg": (jpeg_segment(0xE1, b"Exif\0\0" + tiff((0x0112, 3, 1, b"c\0\0\0"))), UPRIGHT),
    "xmp.jpg": (jpeg_segment(0xE1, b'http://ns.adobe.com/xap/1.0/\0<x tiff:Orientation="6" <'), TURNED),
    "short colour profile.jpg": (jpeg_segment(0xE2, b"ICC_PROFILE\0"), UPRIGHT),
    "garbage colour profile.jpg": (jpeg_segment(0xE2, b"ICC_PROFILE\0\1\1" + GARBAGE), UPRIGHT),
    "several pictures.jpg": (jpeg_segment(0xE2, b"MPF\0II*\0" + GARBAGE), UPRIGHT),
    "short adobe.jpg": (jpeg_segment(0xEE, b"Adobe"), UPRIGHT),
    "short jfif.jpg": (jpeg_segment(0xE0, b"JFIF"), UPRIGHT),
    "comment.jpg": (jpeg_segment(0xFE, GARBAGE), UPRIGHT),
    "signed rational.png": (png_chunk(b"eXIf", SIGNED), TURNED),
    "exif garbage.png": (png_chunk(b"eXIf", GARBAGE), UPRIGHT),
    "exif sum.png": (png_chunk(b"eXIf", SIGNED, wrong_sum=True), TURNED),
    "colour profile.png": (png_chunk(b"iCCP", b"x\0\5garbage"), UPRIGHT),
    "long text.png": (png_chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(2_000_000))), UPRIGHT),
    "text sum.png": (png_chunk(b"tEXt", b"a\0b", wrong_sum=True), UPRIGHT),
    "short chunks.png": (png_chunk(b"gAMA", b"\0"), UPRIGHT),
    "animation.png": (png_chunk(b"acTL", b"\0"), UPRIGHT),
    "signed rational.webp": (saved("WEBP", exif=b"Exif\0\0" + SIGNED), TURNED),
    "exif garbage.webp": (saved("WEBP", exif=b"Exif\0\0" + GARBAGE), UPRIGHT),
    "wrong length.webp": (webp_chunk(b"EXIF", 99_999), TURNED),
    "colour profile.webp": (saved("WEBP", icc_profile=GARBAGE), UPRIGHT),
}


@pytest.mark.parametrize("name", FILES)
def test_damaged_metadata_cost_no_picture(tmp_path: Path, name: str) -> None:
    content, shape = FILES[name]
    path, plain = tmp_path / name.replace(" ", "_"), tmp_path / f"plain{Path(name).suffix}"
    path.write_bytes(content)
    plain.write_bytes(saved({".jpg": "JPEG"}.get(plain.suffix, plain.suffix[1:].upper())))
    found, wanted = decode(str(path)), decode(str(plain))
    assert tuple(found.shape) == shape
    assert torch.equal(found, wanted if shape == UPRIGHT else wanted.flip(1).transpose(1, 2))


@pytest.mark.parametrize("name", ["signed rational.jpg", "signed rational.png", "signed rational.webp"])
def test_no_changed_byte_of_metadata_changes_whether_pixels_are_read(tmp_path: Path, name: str) -> None:
    content, _ = FILES[name]
    place = content.index(SIGNED)
    path = tmp_path / "picture"
    for changed in range(place, place + len(SIGNED)):
        for value in (0, 0xFF, content[changed] ^ 0x55):
            path.write_bytes(content[:changed] + bytes([value]) + content[changed + 1 :])
            assert sorted(decode(str(path)).shape) == sorted(UPRIGHT)


def test_large_jpegs_are_decoded_at_a_reduced_size(tmp_path: Path) -> None:
    path = tmp_path / "scan.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("L", (20_000, 10_000), 90).save(path, exif=exif, quality=50)
    found = decode(str(path))
    assert found.shape == (1, 5000, 2500)
    assert found.unique().tolist() == [90]


def test_the_size_of_a_jpeg_is_reduced_no_further_than_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "LARGEST_WHOLE", WIDTH * HEIGHT)
    for factor, shape in ((1, (3, 16, 24)), (2, (3, 16, 24)), (3, (3, 12, 18)), (20, (3, 40, 60))):
        path = tmp_path / f"{factor}.jpg"
        PICTURE.resize((WIDTH * factor, HEIGHT * factor)).save(path)
        assert tuple(decode(str(path)).shape) == shape


def test_images_that_are_too_large_are_refused_and_not_left_out_as_damaged(tmp_path: Path) -> None:
    def chunk(name: bytes, payload: bytes) -> bytes:
        return (
            struct.pack(">I", len(payload)) + name + payload + struct.pack(">I", zlib.crc32(name + payload))
        )

    header = struct.pack(">IIBBBBB", 20_000, 10_000, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(10_000 * 2501), 9)
    path = tmp_path / "bomb.png"
    path.write_bytes(saved("PNG")[:8] + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b""))
    with pytest.raises(
        ConfigError, match=r"is too large to be decoded \(Image size \(200000000 pixels\)"
    ) as caught:
        decode(str(path))
    assert not isinstance(caught.value, UnreadableImage)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (bytes(5000), "holds only zeros"),
        (b"<!DOCTYPE html>\n<html><body>404</body></html>", "a web page (HTML)"),
        (b'{"error": "not found"}', "its content is text"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "git lfs pull"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64), "a HEIC picture"),
        (b"\x1f\x8b\x08" + GARBAGE, "compressed with gzip"),
        (b"%PDF-1.4\n", "a PDF document"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n", "PostScript"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG drawing"),
        (b"\x80\x81" + GARBAGE, "not an image of a kind that is read"),
    ],
)
def test_files_that_are_no_images_are_refused_with_what_they_are(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "picture.jpg"
    path.write_bytes(content)
    with pytest.raises(UnreadableImage) as caught:
        decode(str(path))
    assert reason in str(caught.value)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "BMP", "TIFF", "JPEG"])
def test_images_are_read_whatever_their_name_says(tmp_path: Path, kind: str) -> None:
    for name in ("picture.jpg", "picture.png", "picture.bmp"):
        (tmp_path / name).write_bytes(saved(kind))
        assert tuple(decode(str(tmp_path / name)).shape) == UPRIGHT


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "TIFF", "PNG"])
def test_the_first_of_several_frames_is_used(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "frames"
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("white", "black")]
    frames[0].save(path, kind, save_all=True, append_images=frames[1:])
    assert decode(str(path)).unique().tolist() == [255]
