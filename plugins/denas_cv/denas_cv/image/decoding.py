"""Decode image files to upright images with 8 bits and one or three channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from denas_core.errors import ConfigError, describe_error

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

EXTENSIONS = frozenset(
    (".bmp", ".gif", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp")
)


class UnreadableImage(ConfigError):
    """A file cannot be read as an image."""


def decode(path: str) -> Tensor:
    """Return the pixels of a file as uint8 (channels, height, width): 1 channel for grey images, 3 for others.

    The image is rotated according to its EXIF orientation. Transparent pixels are drawn on white, 16-bit pixels lose
    their lower 8 bits, and only the first of several frames is used.

    Raises:
        UnreadableImage: the file is damaged, or its pixels cannot be converted to 8 bits.
        ConfigError: the file system cannot open the file.
    """
    import numpy
    import torch
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as opened:
            # In place, because otherwise it copies even images that need no rotation.
            ImageOps.exif_transpose(opened, in_place=True)
            image = _eight_bits(opened)
            # The array is copied because an image's array is read-only.
            pixels = torch.from_numpy(numpy.array(image))
    except OSError as error:
        if error.errno is not None:
            raise ConfigError(f"image {path!r} cannot be read: {error.strerror}") from error
        raise _unreadable(path, error) from error
    # For damaged files, decoders raise any kind of exception, such as SyntaxError, ValueError or struct.error.
    except Exception as error:
        raise _unreadable(path, error) from error
    return pixels[None] if pixels.dim() == 2 else pixels.permute(2, 0, 1)


def _unreadable(path: str, error: Exception) -> UnreadableImage:
    return UnreadableImage(
        f"image {path!r} cannot be read: {describe_error(error)}; replace or remove it, or set task.skip_corrupt=true"
    )


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
        return below.convert("L" if mode in ("1", "L", "LA", "La") else "RGB")
    return image.convert("L" if mode in ("1", "LA", "La") else "RGB")
