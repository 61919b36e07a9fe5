"""Faults of speech data: a count for each kind, and the names of its first cases."""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Mapping
from typing import Any, Literal, get_args

from denas_core.errors import ConfigError, one_line

NAMED = 3
"""Number of cases of a kind that are listed by name."""

Kind = Literal[
    "damaged transcript",
    "empty transcript",
    "recording without a word",
    "transcript without audio",
    "audio without transcript",
    "repeated id",
    "missing audio",
    "command instead of audio",
    "impossible segment",
    "empty audio",
    "undecodable audio",
    "silent audio",
    "too short audio",
    "too long audio",
]

KINDS: tuple[Kind, ...] = get_args(Kind)

RemarkKind = Literal[
    "hidden file or folder",
    "folder that lies too deep",
    "folder that a link repeats",
    "file of another kind",
    "link to a folder",
    "folder without audio directly in it",
    "recording outside the folders of words",
]
"""What is not read, and is no fault of the data."""


@dataclasses.dataclass(kw_only=True)
class Problems:
    """The faults of a part of the data.

    Attributes:
        where: The file or folder.
        counts: Number of cases by kind.
        named: The names of the first cases of each kind.
        remarks: What is not read although it is no fault, by kind.
    """

    where: str
    counts: dict[Kind, int] = dataclasses.field(default_factory=dict)
    named: dict[Kind, list[str]] = dataclasses.field(default_factory=dict)
    remarks: dict[RemarkKind, list[str]] = dataclasses.field(default_factory=dict)

    def add(self, kind: Kind, name: str) -> None:
        """Add a case."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        names = self.named.setdefault(kind, [])
        if len(names) < NAMED:
            names.append(one_line(name, 300))

    def remark(self, kind: RemarkKind, name: str) -> None:
        """Add a name of what is not read, which is no fault."""
        self.remarks.setdefault(kind, []).append(one_line(shown(name), 300))

    def __len__(self) -> int:
        """Return the number of cases."""
        return sum(self.counts.values())

    def lines(self) -> list[str]:
        """Return one line for each kind, with its count and first cases."""
        return [
            f"{kind}: {self.counts[kind]} ({'; '.join(self.named[kind])}{'; ...' if self.counts[kind] > NAMED else ''})"
            for kind in KINDS
            if kind in self.counts
        ]

    def remark_lines(self) -> list[str]:
        """Return one line for each kind of what is not read and is no fault."""
        return [
            f"{kind}: {len(names)} ({'; '.join(names[:NAMED])}{'; ...' if len(names) > NAMED else ''})"
            for kind, names in sorted(self.remarks.items())
        ]

    def notices(self) -> tuple[str, ...]:
        """Return the lines as notices of a training run."""
        return (
            *(f"{self.where!r} leaves out {line}" for line in self.lines()),
            *(f"{self.where!r} is read without {line}" for line in self.remark_lines()),
        )

    def refuse(self) -> None:
        """Raise an error if there are problems.

        Raises:
            ConfigError: there are problems; the text names the kinds and the first cases of each.
        """
        if len(self):
            raise ConfigError(
                f"{self.where!r} has {len(self)} problems: {'. '.join(self.lines())}; fix them, or leave out strict"
            )

    def as_dict(self) -> Mapping[str, Any]:
        """Return counts and names by kind as values for JSON."""
        return {
            kind: {"count": self.counts[kind], "first": self.named[kind]}
            for kind in KINDS
            if kind in self.counts
        }


def shown(name: str) -> str:
    """Return a name as it is if it looks like what it is; otherwise with its unusual characters as escapes.

    A tab, a space of another kind, a character without width and a letter apart from its accent look like others.
    """
    if name.isprintable() and name == unicodedata.normalize("NFC", name).strip():
        return name
    return ascii(name) if name.isprintable() else repr(name)
