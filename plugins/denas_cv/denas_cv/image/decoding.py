"""Decode image files to upright images with 8 bits and one or three channels."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from denas_core.errors import ConfigError, describe_error

from .metadata import ORIENTATION, without_metadata
from .signature import describe_content

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

EXTENSIONS = frozenset(
    (
        *(".jfif", ".jpe", ".jpeg", ".jpg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"),
        *(".pbm", ".pgm", ".pnm", ".ppm"),
    )
)

JPEG_SIGNATURE = b"\xff\xd8\xff"

LARGEST_WHOLE = 25_000_000
"""Largest number of pixels of a JPEG that is decoded at its full size. Larger ones are decoded at 1/2, 1/4 or 1/8."""

READ = ("AVIF", "BMP", "DIB", "GIF", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
"""Formats that Pillow is asked to read besides JPEG. It starts other programs to read some of the others."""


GREY = ("1", "L", "LA", "La")
"""Pillow's names of images without colours."""

TURNED = (5, 6, 7, 8)
"""Orientations in which width and height change places."""


class UnreadableImage(ConfigError):
    """A file cannot be read as an image."""


def decode(path: str) -> Tensor:
    """Return the pixels of a file as uint8 (channels, height, width): 1 channel for grey images, 3 for others.

    The image is rotated as its metadata say; all other metadata are ignored. Transparent pixels are drawn on white,
    16-bit pixels lose their lower 8 bits, and only the first of several frames is used. A JPEG of more than
    `LARGEST_WHOLE` pixels is decoded at a reduced size.

    Raises:
        UnreadableImage: the file is damaged, or its pixels cannot be converted to 8 bits.
        ConfigError: the file system cannot read the file, or the image is too large.
    """
    import numpy
    import torch

    content = _read(path)
    try:
        stripped, orientation = without_metadata(content)
        with _open(stripped) as opened:
            opened.load()
            if orientation is None:
                orientation = _orientation_of(opened)
            image = _upright(_eight_bits(opened), orientation)
        # The array is copied because an image's array is read-only.
        pixels = torch.from_numpy(numpy.array(image))
    # For damaged files, decoders raise any kind of exception, such as SyntaxError, ValueError or struct.error.
    except Exception as error:
        raise _refused(path, content, error) from error
    return pixels[None] if pixels.dim() == 2 else pixels.permute(2, 0, 1)


def read_size(path: str) -> tuple[int, int, bool]:
    """Return width and height of an image as it is seen, and whether it has no colours; pixels are not decoded.

    Raises:
        UnreadableImage: the file is not an image of a known kind.
        ConfigError: the file system cannot read the file, or the image is too large.
    """
    content = _read(path)
    try:
        stripped, orientation = without_metadata(content)
        with _open(stripped) as opened:
            width, height = opened.size
            is_grey = opened.mode in GREY or opened.mode.startswith("I")
            if orientation is None:
                orientation = _orientation_of(opened)
    except Exception as error:
        raise _refused(path, content, error) from error
    return (height, width, is_grey) if orientation in TURNED else (width, height, is_grey)


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"image {path!r} cannot be read: {error.strerror or error}") from error


def _refused(path: str, content: bytes, error: Exception) -> ConfigError:
    """Return what is wrong with an image that Pillow cannot decode."""
    from PIL import Image, UnidentifiedImageError

    if isinstance(error, Image.DecompressionBombError):
        return ConfigError(
            f"image {path!r} is too large to be decoded ({str(error).partition(',')[0]}); make it smaller, or save it "
            "as JPEG, which is decoded at a reduced size"
        )
    is_unknown = isinstance(error, UnidentifiedImageError)
    reason = describe_content(content) if is_unknown else describe_error(error)
    return UnreadableImage(
        f"image {path!r} cannot be read: {reason}; replace or remove it; task.skip_corrupt=true leaves it out of a "
        "training"
    )


def _open(content: bytes) -> Image.Image:
    from PIL import Image, JpegImagePlugin

    file = io.BytesIO(content)
    if not content.startswith(JPEG_SIGNATURE):
        Image.init()
        return Image.open(file, formats=[name for name in READ if name in Image.OPEN])
    # Image.open refuses every large image before its size can be reduced.
    image = JpegImagePlugin.JpegImageFile(file)
    scale = 1
    while scale < 8 and image.width * image.height > LARGEST_WHOLE * scale**2:
        scale *= 2
    if scale > 1:
        image.draft(None, (max(image.width // scale, 1), max(image.height // scale, 1)))
    return image


def _orientation_of(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    # Damaged metadata raise any kind of exception, and have no orientation.
    except Exception:
        return 1


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    return image.transpose(turns[orientation]) if orientation in turns else image


def _eight_bits(image: Image.Image) -> Image.Image:
    """Return an image of mode L or RGB."""
    import numpy
    from PIL import Image

    mode = image.mode
    if mode in ("L", "RGB"):
        return image
    if mode == "I" or mode.startswith("I;16"):
        values = numpy.asarray(image)
        if values.min() < 0 or values.max() > 0xFFFF:
            raise ValueError("its pixels have more than 16 bits; convert it")
        return Image.fromarray((values >> 8).astype(numpy.uint8))
    if mode == "F":
        raise ValueError("its pixels are floating-point numbers; convert it")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        below = Image.new("RGBA", layer.size, (255, 255, 255, 255))
        below.alpha_composite(layer)
        return below.convert("L" if mode in GREY else "RGB")
    return image.convert("L" if mode in GREY else "RGB")
