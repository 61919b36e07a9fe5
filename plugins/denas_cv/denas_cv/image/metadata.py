"""Remove the metadata of an image file, and keep from it only how the image is to be rotated.

Only the pixels and the orientation are needed. Pillow reads all metadata when it opens a file, and refuses the file if
any of them are damaged.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

ORIENTATION = 0x0112
"""The EXIF tag of the orientation; its values are 1 (upright) to 8."""

SHORT, LONG = 3, 4

EXIF_HEADER, XMP_HEADER, XMP_KEYWORD = b"Exif\0", b"http://ns.adobe.com/xap/1.0/\0", b"XML:com.adobe.xmp\0"
_IN_XMP = re.compile(rb"tiff:Orientation(?:=[\"']|>)([1-8])")

APP0, APP1, APP14, APP15, COMMENT, SCAN = 0xE0, 0xE1, 0xEE, 0xEF, 0xFE, 0xDA
WITHOUT_LENGTH = frozenset((0x01, *range(0xD0, 0xD8)))
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PNG_KEPT = frozenset((b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"))
WEBP_METADATA = frozenset((b"EXIF", b"XMP ", b"ICCP"))
WEBP_METADATA_FLAGS = 0x20 | 0x08 | 0x04


def without_metadata(content: bytes) -> tuple[bytes, int | None]:
    """Return a JPEG, PNG or WebP file without its metadata, and its orientation from 1 to 8.

    Files of other kinds are returned as they are, with the orientation None. Damaged metadata have no orientation.
    """
    if content.startswith(b"\xff\xd8\xff"):
        pieces = _jpeg(content)
    elif content.startswith(PNG_SIGNATURE):
        pieces = _png(content)
    elif content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        pieces = _webp(content)
    else:
        return content, None
    kept: list[bytes] = []
    metadata: list[bytes] = []
    for piece, is_kept in pieces:
        (kept if is_kept else metadata).append(piece)
    found = [*map(_in_exif, metadata), *map(_in_xmp, metadata)]
    stripped = b"".join(kept)
    if content.startswith(b"RIFF"):
        stripped = b"RIFF" + struct.pack("<I", len(stripped) - 8) + stripped[8:]
    return stripped, next((value for value in found if value), 1)


def _jpeg(content: bytes) -> Iterator[tuple[bytes, bool]]:
    """Yield the segments of a JPEG file, and whether they are needed for the pixels."""
    yield content[:2], True
    place = 2
    while place + 4 <= len(content) and content[place] == 0xFF:
        marker = content[place + 1]
        if marker == 0xFF or marker in WITHOUT_LENGTH:
            yield content[place : place + 1 + (marker != 0xFF)], True
            place += 1 + (marker != 0xFF)
            continue
        # A length counts itself, so smaller ones than 2 are damaged.
        end = place + 2 + max(int.from_bytes(content[place + 2 : place + 4], "big"), 2)
        if marker == SCAN or end > len(content):
            break
        payload = content[place + 4 : end]
        if marker == COMMENT or APP0 <= marker <= APP15:
            # These two say how colours are stored; the decoder reads them.
            is_jfif = marker == APP0 and payload.startswith(b"JFIF\0") and len(payload) >= 14
            is_adobe = marker == APP14 and payload.startswith(b"Adobe") and len(payload) >= 12
            is_kept = is_jfif or is_adobe
            yield (content[place:end] if is_kept else payload), is_kept
        else:
            yield content[place:end], True
        place = end
    yield content[place:], True


def _png(content: bytes) -> Iterator[tuple[bytes, bool]]:
    """Yield the chunks of a PNG file, and whether they are needed for the pixels of the first frame."""
    yield PNG_SIGNATURE, True
    place = len(PNG_SIGNATURE)
    while place + 12 <= len(content):
        end = place + 12 + int.from_bytes(content[place : place + 4], "big")
        is_kept = content[place + 4 : place + 8] in PNG_KEPT
        yield (content[place:end] if is_kept else content[place + 8 : end - 4]), is_kept
        place = end
    yield content[place:], True


def _webp(content: bytes) -> Iterator[tuple[bytes, bool]]:
    """Yield the chunks of a WebP file, and whether they are needed for the pixels."""
    yield content[:12], True
    place = 12
    while place + 8 <= len(content):
        name = content[place : place + 4]
        size = int.from_bytes(content[place + 4 : place + 8], "little")
        end = place + 8 + size + size % 2
        if name == b"VP8X" and size:
            flags = content[place + 8] & ~WEBP_METADATA_FLAGS
            yield content[place : place + 8] + bytes((flags,)) + content[place + 9 : end], True
        elif name in WEBP_METADATA:
            yield content[place + 8 : end], False
        else:
            yield content[place:end], True
        place = end


def _in_exif(payload: bytes) -> int | None:
    """Return the orientation in the first directory of EXIF data; None if there is none."""
    tiff = payload.removeprefix(EXIF_HEADER).removeprefix(b"\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 10:
        return None
    (place,) = struct.unpack_from(f"{order}I", tiff, 4)
    if place + 2 > len(tiff):
        return None
    (count,) = struct.unpack_from(f"{order}H", tiff, place)
    for entry in range(place + 2, min(place + 2 + 12 * count, len(tiff) - 11), 12):
        tag, kind = struct.unpack_from(f"{order}HH", tiff, entry)
        if tag == ORIENTATION and kind in (SHORT, LONG):
            (value,) = struct.unpack_from(order + ("H" if kind == SHORT else "I"), tiff, entry + 8)
            return int(value) if 1 <= value <= 8 else None
    return None


def _in_xmp(payload: bytes) -> int | None:
    found = _IN_XMP.search(payload) if payload.startswith((XMP_HEADER, XMP_KEYWORD, b"<")) else None
    return int(found[1]) if found else None
