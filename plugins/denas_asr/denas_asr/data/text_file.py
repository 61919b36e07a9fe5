"""Read files of text in UTF-8 or UTF-16, plain or compressed, and say what is wrong with others."""

from __future__ import annotations

import codecs
import gzip
import zlib
from pathlib import Path

from denas_core.errors import ConfigError, describe_error

from .problems import Problems

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_GZIP = b"\x1f\x8b"


class NotText(ConfigError):
    """A file is not text in a known encoding."""


def read_text(path: Path, *, most: int = -1) -> str:
    """Return the text of a file.

    Args:
        path: The file. If its content is compressed with gzip, it is decompressed, whatever its name is.
        most: Number of bytes to read, for a first look: the last line may be left out, and faults are no errors;
            -1 reads all.

    Raises:
        NotText: all is read, and a line is not in the encoding of the file; the text names the line and the byte.
        ConfigError: the file cannot be read.
    """
    content = read_content(path, most=most)
    encoding = _encoding(content)
    if most >= 0:
        # A look at the beginning decides only which form a file has; who reads all of it reports its faults.
        text = content.decode(encoding, errors="replace")
        return (text[: text.rfind("\n") + 1] or text) if most == len(content) else text
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start) + 1
        line = content.splitlines()[number - 1] if encoding.startswith("utf-8") else b""
        raise NotText(f"line {number} {_reason(line, error)}") from error


def read_lines(path: Path, problems: Problems) -> list[tuple[int, str]]:
    """Return the lines of a file with their numbers; lines that cannot be decoded are added to `problems`.

    Raises:
        NotText: the file is not text in any line.
        ConfigError: the file cannot be read.
    """
    content = read_content(path)
    encoding = _encoding(content)
    if not encoding.startswith("utf-8"):
        return list(enumerate(read_text(path).splitlines(), start=1))
    lines = []
    for number, line in enumerate(content.removeprefix(codecs.BOM_UTF8).splitlines(), start=1):
        try:
            lines.append((number, line.decode("utf-8")))
        except UnicodeDecodeError as error:
            problems.add("damaged transcript", f"line {number} of {path.name} {_reason(line, error)}")
    return lines


def read_content(path: Path, *, most: int = -1) -> bytes:
    """Return the bytes of a file, decompressed if its content is compressed with gzip.

    Raises:
        ConfigError: the file cannot be read, or is damaged.
    """
    try:
        with path.open("rb") as file:
            if file.read(len(_GZIP)) != _GZIP:
                file.seek(0)
                return file.read(most)
        with gzip.open(path) as file:
            return bytes(file.read(most))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ConfigError(
            f"{str(path)!r} is compressed with gzip and damaged: {describe_error(error)}"
        ) from error
    except OSError as error:
        raise ConfigError(f"{str(path)!r} cannot be read: {error.strerror or error}") from error


def _encoding(content: bytes) -> str:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return encoding
    # Most of what people write has a zero in every second byte of UTF-16, and no zero in UTF-8.
    start = content[:2000]
    if len(start) > 3 and start.count(0) * 3 > len(start):
        return "utf-16-le" if start[1::2].count(0) > start[::2].count(0) else "utf-16-be"
    return "utf-8"


def _reason(line: bytes, error: UnicodeDecodeError) -> str:
    if not line:
        return f"is not {error.encoding.upper()}: {error.reason}; save the file as UTF-8"
    byte = next((byte for byte in line if byte > 127), 0)
    text = line[:80].decode("latin-1")
    guess = f"; in Latin-1 it would be {text!r}" if text.isprintable() else ""
    return f"is not UTF-8: it has the byte 0x{byte:02x}{guess}; save the file as UTF-8"
