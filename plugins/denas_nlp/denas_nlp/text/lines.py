"""Read the lines of a text file as inputs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from denas_core.errors import ConfigError

from .content import read_text


def read_lines(path: Path) -> Iterator[tuple[str, str]]:
    """Yield each line that is not empty, with the name of the file and the number of the line.

    Raises:
        ConfigError: the file cannot be read, or a line is not UTF-8.
    """
    for number, line in enumerate(read_text(path).split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            yield f"{path}:{number}", line.removesuffix(b"\r").decode("utf-8")
        except UnicodeDecodeError as error:
            raise ConfigError(f"line {number} of {str(path)!r} is not UTF-8 ({error.reason})") from error
