"""A look at speech data before anything is trained on it: how much there is, in which letters, and what is wrong."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from denas_core.errors import ConfigError

from .problems import NAMED, Problems
from .utterance import LIMITS, Limits, Utterance
from .utterances import read_split

SCHEMA = "denas.speech-data/1"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PartReport:
    """What is in a part of the data.

    Attributes:
        name: Its name, as it was given.
        where: The folder or manifest.
        utterances: Utterances that can be used.
        seconds: Of all of them, the shortest and the longest.
        speakers: Names of those who speak.
        words: Words of the transcripts.
        characters: How often each character occurs in them.
        problems: What is left out.
    """

    name: str
    where: str
    utterances: int
    seconds: tuple[float, float, float]
    speakers: tuple[str, ...]
    words: int
    characters: Mapping[str, int]
    problems: Problems

    def as_dict(self) -> dict[str, Any]:
        """Return the report, fit for JSON."""
        total, shortest, longest = self.seconds
        return {
            "part": self.name,
            "where": self.where,
            "utterances": self.utterances,
            "hours": round(total / 3600, 4),
            "seconds": {
                "mean": round(total / self.utterances, 2),
                "shortest": round(shortest, 2),
                "longest": round(longest, 2),
            },
            "speakers": len(self.speakers),
            "words": self.words,
            "characters": dict(self.characters),
            "problems": self.problems.as_dict(),
        }

    def lines(self) -> list[str]:
        """Return the report for people."""
        total, shortest, longest = self.seconds
        characters = "".join(self.characters).replace(" ", "")
        return [
            f"{self.name}: {total / 3600:.2f} h, utterances: {self.utterances}, speakers: {len(self.speakers)}, "
            f"words: {self.words} ({self.where})",
            f"  seconds: {total / self.utterances:.1f} on average, from {shortest:.1f} to {longest:.1f}",
            f"  characters: {len(self.characters)}, {'with' if ' ' in self.characters else 'without'} the space: "
            f"{characters}",
            *(f"  left out, {line}" for line in self.problems.lines()),
        ]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DataReport:
    """What is in the data, part by part, and what the parts have in common.

    Attributes:
        train: The part to learn from.
        dev: The part to measure on; None where none was asked for.
        shared_ids: Ids of utterances that are in both, and so are no measure.
        shared_speakers: Speakers that are in both: the measure says little about others.
        unknown_characters: How often characters occur in `dev` that `train` does not have, and nobody can learn.
    """

    train: PartReport
    dev: PartReport | None
    shared_ids: tuple[str, ...] = ()
    shared_speakers: tuple[str, ...] = ()
    unknown_characters: Mapping[str, int] = dataclasses.field(default_factory=dict)

    @property
    def parts(self) -> tuple[PartReport, ...]:
        """Return the parts that there are."""
        return (self.train,) if self.dev is None else (self.train, self.dev)

    def faults(self) -> list[str]:
        """Return what ``--strict`` refuses, a line for each kind."""
        found = [f"{part.name}: {line}" for part in self.parts for line in part.problems.lines()]
        if self.shared_ids:
            found.append(f"utterances to learn from that are to be measured on too: {_some(self.shared_ids)}")
        if self.unknown_characters:
            characters = _some([f"{c!r} ({count})" for c, count in self.unknown_characters.items()])
            found.append(f"characters to be measured on that are not learnt from: {characters}")
        return found

    def refuse(self) -> None:
        """Refuse data with faults.

        Raises:
            ConfigError: naming each kind, and the first cases of it.
        """
        if faults := self.faults():
            raise ConfigError(f"the data has faults: {'. '.join(faults)}; fix them, or leave out --strict")

    def as_dict(self) -> dict[str, Any]:
        """Return the report, fit for JSON."""
        return {
            "schema": SCHEMA,
            "train": self.train.as_dict(),
            "dev": None if self.dev is None else self.dev.as_dict(),
            "shared_ids": {"count": len(self.shared_ids), "first": list(self.shared_ids[:NAMED])},
            "shared_speakers": {
                "count": len(self.shared_speakers),
                "first": list(self.shared_speakers[:NAMED]),
            },
            "unknown_characters": dict(self.unknown_characters),
            "faults": self.faults(),
        }

    def text(self) -> str:
        """Return the report for people, several lines."""
        lines = [line for part in self.parts for line in part.lines()]
        if self.shared_speakers:
            lines.append(f"speakers in both parts: {_some(self.shared_speakers)}")
        faults = self.faults()
        lines += [f"fault: {fault}" for fault in faults] or ["no faults"]
        return "\n".join(lines)


def check_data(
    data: Path,
    *,
    train: str | None = None,
    dev: str | None = None,
    limits: Limits = LIMITS,
    decode: bool = True,
) -> DataReport:
    """Read speech data, decode all of it, and return what is in it.

    Args:
        data: As `read_split` takes it.
        train: Part to learn from.
        dev: Part to measure on; None to look at one part alone.
        limits: How long an utterance may last.
        decode: Whether audio is decoded, or headers alone are read.

    Raises:
        ConfigError: a part is not there, or has no utterance that can be used.
    """
    learnt, report = _read(Path(data), train, limits, decode)
    if dev is None:
        return DataReport(train=report, dev=None)
    measured, other = _read(Path(data), dev, limits, decode)
    return DataReport(
        train=report,
        dev=other,
        shared_ids=_shared((each.id for each in learnt), (each.id for each in measured)),
        shared_speakers=_shared(report.speakers, other.speakers),
        unknown_characters={c: n for c, n in other.characters.items() if c not in report.characters},
    )


def _read(data: Path, part: str | None, limits: Limits, decode: bool) -> tuple[list[Utterance], PartReport]:
    utterances, problems = read_split(data, part, limits=limits, decode=decode)
    seconds = [each.seconds for each in utterances]
    characters = Counter("".join(each.text for each in utterances))
    return utterances, PartReport(
        name=part or Path(problems.where).name,
        where=problems.where,
        utterances=len(utterances),
        seconds=(sum(seconds), min(seconds), max(seconds)),
        speakers=tuple(sorted({each.speaker for each in utterances if each.speaker})),
        words=sum(len(each.text.split()) for each in utterances),
        characters=dict(sorted(characters.items())),
        problems=problems,
    )


def _shared(one: Iterable[str], other: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(one) & set(other)))


def _some(names: Sequence[str]) -> str:
    return f"{', '.join(names[:NAMED])}{f' and {len(names) - NAMED} more' if len(names) > NAMED else ''}"
