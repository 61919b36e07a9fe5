"""The content of a text file: unpacked if it is gzip, as UTF-8, whatever the name of the file says."""

from __future__ import annotations

import dataclasses
import gzip
import re
import zlib
from pathlib import Path

from denas_core.errors import ConfigError

LOST = re.compile("[\ud800-\udfff]")
"""What is no character: it stands for a byte that is not UTF-8, see `decoded`, or for half of an escape in JSON."""

PARQUET = b"PAR1"
_GZIP = b"\x1f\x8b"
_PACKED = {
    b"PK\x03\x04": "a zip archive, or a workbook of Excel; unpack it, or save it as CSV",
    b"\xd0\xcf\x11\xe0": "a workbook of Excel; save it as CSV",
    b"BZh": "packed by bzip2; unpack it",
    b"\xfd7zXZ\x00": "packed by xz; unpack it",
    b"(\xb5/\xfd": "packed by zstd; unpack it",
    b"SQLite format 3\x00": "a database of SQLite; export the table as CSV",
    b"%PDF": "a PDF; save its text",
    b"ARROW1": "an Arrow file; give the folder that datasets.save_to_disk wrote",
}
_MARKS = {
    b"\xef\xbb\xbf": "utf-8",
    b"\xff\xfe\x00\x00": "utf-32-le",
    b"\x00\x00\xfe\xff": "utf-32-be",
    b"\xff\xfe": "utf-16-le",
    b"\xfe\xff": "utf-16-be",
}
OTHERS = (_GZIP, *_PACKED, *(mark for mark, encoding in _MARKS.items() if encoding != "utf-8"))
"""How files begin that are read only after something else was done with them, or not at all."""

_PROBE = 4096


def read_file(path: Path) -> bytes:
    """Return the content of a file, unpacked if it is gzip. The content decides, not the name.

    Raises:
        ConfigError: the file cannot be read, or it is damaged.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{str(path)!r} cannot be read: {error.strerror or error}") from error
    if not content.startswith(_GZIP):
        return content
    try:
        return gzip.decompress(content)
    except (EOFError, OSError, zlib.error) as error:
        raise ConfigError(f"{str(path)!r} is damaged gzip ({error}); download it again") from error


def read_text(path: Path) -> bytes:
    """Return the content of a text file in UTF-8 without a byte order mark; other bytes are left as they are.

    Raises:
        ConfigError: the file cannot be read, or it is not text.
    """
    return as_utf8(read_file(path), path)


def as_utf8(content: bytes, path: Path) -> bytes:
    """Return content of UTF-16 or UTF-32 as UTF-8, and other content without its byte order mark.

    Raises:
        ConfigError: the content is not text; the message says what it is, if that is known.
    """
    for begin, kind in _PACKED.items():
        if content.startswith(begin):
            raise ConfigError(f"{str(path)!r} is not text, but {kind}")
    mark = next((mark for mark in _MARKS if content.startswith(mark)), b"")
    encoding = _MARKS[mark] if mark else _without_mark(content)
    content = content[len(mark) :]
    if encoding != "utf-8":
        try:
            return content.decode(encoding).encode("utf-8", "surrogatepass")
        except UnicodeDecodeError as error:
            raise ConfigError(
                f"{str(path)!r} begins as {encoding.upper()}, but byte {error.start} does not belong to it "
                f"({error.reason}); save it as UTF-8"
            ) from error
    place = content.find(b"\x00")
    if place >= 0:
        raise ConfigError(f"{str(path)!r} is not text: byte {place} is 0; give a text file")
    return content


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """The text of a file.

    Attributes:
        text: The text; each byte that is not UTF-8 is a character of `LOST`.
        notices: A notice if the text is not in UTF-8.
    """

    text: str
    notices: tuple[str, ...] = ()


def decoded(content: bytes, path: Path) -> Decoded:
    """Return content as text.

    A file in which no line has a letter of UTF-8 outside ASCII, and some lines have other bytes, is of Windows-1252,
    which is Latin-1 with more letters. In other files such bytes are damage.
    """
    try:
        return Decoded(text=content.decode("utf-8"))
    except UnicodeDecodeError as error:
        first = error.start
    text = content.decode("utf-8", "surrogateescape")
    if any(ord(character) > 127 for character in LOST.sub("", text)):
        return Decoded(text=text)
    line, byte = content.count(b"\n", 0, first) + 1, content[first]
    try:
        text, name = content.decode("cp1252"), "Windows-1252 (Latin-1)"
    except UnicodeDecodeError:
        text, name = content.decode("latin-1"), "Latin-1"
    return Decoded(
        text=text,
        notices=(
            f"{path.name!r} is not UTF-8 (line {line} has the byte 0x{byte:02x}): it is read as {name}; if letters "
            "are wrong, save it as UTF-8",
        ),
    )


def _without_mark(content: bytes) -> str:
    """Return the encoding of content without a byte order mark: texts in UTF-16 have a 0 in most pairs of bytes."""
    probe = content[:_PROBE]
    even, odd = probe[::2].count(0), probe[1::2].count(0)
    if odd > len(probe) // 5 and not even:
        return "utf-16-le"
    if even > len(probe) // 5 and not odd:
        return "utf-16-be"
    return "utf-8"
