"""Read the lines of a text file as inputs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from denas_core.errors import ConfigError

from .content import read_text


def read_lines(path: Path) -> Iterator[tuple[str, str | ConfigError]]:
    """Yield each line that is not empty, or the error if it is not UTF-8, after the name of the file and its number.

    Raises:
        ConfigError: the file cannot be read.
    """
    for number, line in enumerate(read_text(path).split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            text = line.removesuffix(b"\r").decode("utf-8")
        except UnicodeDecodeError as error:
            yield (
                f"{path}:{number}",
                ConfigError(f"line {number} of {str(path)!r} is not UTF-8 ({error.reason})"),
            )
        else:
            yield f"{path}:{number}", text
