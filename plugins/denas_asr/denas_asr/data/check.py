"""Check speech data before training: its amount, its characters and its faults."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from denas_core.errors import ConfigError

from .forms.columns import ANY_COLUMNS, Columns
from .problems import NAMED, Problems
from .shared import shared_recordings
from .utterance import LIMITS, Limits, Utterance
from .utterances import read_split

SCHEMA = "denas.speech-data/1"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PartReport:
    """The contents of a part of the data.

    Attributes:
        name: The part's name, as the user gave it.
        where: The folder or manifest.
        utterances: Number of usable utterances.
        seconds: Total length, shortest length and longest length.
        speakers: Names of the speakers.
        words: Number of words in the transcripts.
        characters: How often each character occurs in the transcripts.
        problems: What is left out, and why.
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
        """Return the report as values for JSON."""
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
        """Return the report as lines of text."""
        total, shortest, longest = self.seconds
        characters = "".join(self.characters).replace(" ", "")
        return [
            f"{self.name}: {total / 3600:.2f} h, utterances: {self.utterances}, speakers: {len(self.speakers)}, "
            f"words: {self.words} ({self.where})",
            f"  seconds: {total / self.utterances:.1f} on average, from {shortest:.1f} to {longest:.1f}",
            f"  characters: {len(self.characters)}, {'with' if ' ' in self.characters else 'without'} the space: "
            f"{characters}",
            *(f"  left out, {line}" for line in self.problems.lines()),
            *(f"  not read, {line}" for line in self.problems.remark_lines()),
        ]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DataReport:
    """The contents of each part of the data, and what the parts have in common.

    Attributes:
        train: The training part.
        dev: The validation part; None if the user asked for one part only.
        shared_ids: Ids of utterances in both parts; results on these utterances do not show what was learned.
        shared_recordings: Ids of utterances in `dev` whose recording is in `train`, perhaps under another name.
        shared_speakers: Speakers in both parts; results on them say little about new speakers.
        unknown_characters: Counts of the characters in `dev` that are not in `train` and so cannot be learned.
    """

    train: PartReport
    dev: PartReport | None
    shared_ids: tuple[str, ...] = ()
    shared_recordings: tuple[str, ...] = ()
    shared_speakers: tuple[str, ...] = ()
    unknown_characters: Mapping[str, int] = dataclasses.field(default_factory=dict)

    @property
    def parts(self) -> tuple[PartReport, ...]:
        """Return the one part or both parts."""
        return (self.train,) if self.dev is None else (self.train, self.dev)

    def faults(self) -> list[str]:
        """Return the faults that ``--strict`` refuses, one line for each kind."""
        found = [f"{part.name}: {line}" for part in self.parts for line in part.problems.lines()]
        if self.shared_ids:
            found.append(
                f"utterances in both the training and the validation part: {_first_names(self.shared_ids)}"
            )
        if self.shared_recordings:
            found.append(
                "recordings of the validation part that are in the training part: "
                f"{_first_names(self.shared_recordings)}"
            )
        if self.unknown_characters:
            characters = _first_names([f"{c!r} ({count})" for c, count in self.unknown_characters.items()])
            found.append(f"characters in the validation part that the training part lacks: {characters}")
        return found

    def refuse(self) -> None:
        """Raise an error if the data has faults.

        Raises:
            ConfigError: the data has faults; the text names each kind and its first cases.
        """
        if faults := self.faults():
            raise ConfigError(f"the data has faults: {'. '.join(faults)}; fix them, or leave out --strict")

    def as_dict(self) -> dict[str, Any]:
        """Return the report as values for JSON."""
        return {
            "schema": SCHEMA,
            "train": self.train.as_dict(),
            "dev": None if self.dev is None else self.dev.as_dict(),
            "shared_ids": {"count": len(self.shared_ids), "first": list(self.shared_ids[:NAMED])},
            "shared_recordings": {
                "count": len(self.shared_recordings),
                "first": list(self.shared_recordings[:NAMED]),
            },
            "shared_speakers": {
                "count": len(self.shared_speakers),
                "first": list(self.shared_speakers[:NAMED]),
            },
            "unknown_characters": dict(self.unknown_characters),
            "faults": self.faults(),
        }

    def text(self) -> str:
        """Return the report as text of several lines."""
        lines = [line for part in self.parts for line in part.lines()]
        if self.shared_speakers:
            lines.append(f"speakers in both parts: {_first_names(self.shared_speakers)}")
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
    columns: Columns = ANY_COLUMNS,
) -> DataReport:
    """Read and decode speech data, and return a report of its contents.

    Args:
        data: A data set as in `read_split`.
        train: The training part.
        dev: The validation part; None to check one part only.
        limits: Allowed lengths of an utterance.
        decode: Whether to decode the audio; if False, only headers are read.
        columns: The columns of manifests that the user names.

    Raises:
        ConfigError: a part does not exist, or has no usable utterance.
    """
    learnt, report = _read(Path(data), train, limits, decode, columns)
    if dev is None:
        return DataReport(train=report, dev=None)
    measured, other = _read(Path(data), dev, limits, decode, columns)
    return DataReport(
        train=report,
        dev=other,
        shared_ids=_shared((each.id for each in learnt), (each.id for each in measured)),
        shared_recordings=tuple(shared_recordings(learnt, measured)),
        shared_speakers=_shared(report.speakers, other.speakers),
        unknown_characters={c: n for c, n in other.characters.items() if c not in report.characters},
    )


def _read(
    data: Path, part: str | None, limits: Limits, decode: bool, columns: Columns
) -> tuple[list[Utterance], PartReport]:
    utterances, problems = read_split(data, part, limits=limits, decode=decode, columns=columns)
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


def _first_names(names: Sequence[str]) -> str:
    return f"{', '.join(names[:NAMED])}{f' and {len(names) - NAMED} more' if len(names) > NAMED else ''}"
