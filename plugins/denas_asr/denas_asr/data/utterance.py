"""Utterances, as a data layout lists them and as training uses them, and their allowed lengths."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import NamedTuple


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """One utterance.

    Attributes:
        id: Its id, unique within a part.
        audio: The audio file.
        text: The transcript as it is written.
        seconds: Length according to the file.
        speaker: Name of the speaker; empty if it is unknown.
        start: Where the utterance begins in the file, in seconds.
        end: Where it ends; None for the end of the file.
        sound: A fingerprint of its samples; empty if they have not been decoded.
    """

    id: str
    audio: Path
    text: str
    seconds: float
    speaker: str
    start: float = 0.0
    end: float | None = None
    sound: str = ""


class Found(NamedTuple):
    """An utterance as a form of data lists it; its audio has not been read yet.

    Attributes:
        id: See `Utterance`.
        audio: See `Utterance`.
        text: See `Utterance`.
        speaker: See `Utterance`.
        start: See `Utterance`.
        end: See `Utterance`.
    """

    id: str
    audio: Path
    text: str
    speaker: str = ""
    start: float = 0.0
    end: float | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The allowed lengths of an utterance.

    Attributes:
        shortest: Shortest length in seconds; one frame of features covers 0.025 s.
        longest: Longest length in seconds; the longest utterance of LibriSpeech lasts 35 s.
    """

    shortest: float = 0.1
    longest: float = 40.0


LIMITS = Limits()
