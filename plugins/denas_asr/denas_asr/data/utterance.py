"""An utterance, as a layout lists it and as a training uses it, and how long it may last."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import NamedTuple


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """One utterance.

    Attributes:
        id: Its id, of which there is one.
        audio: The file.
        text: What is said, in the letters of the transcript.
        seconds: How long it lasts, as the file says.
        speaker: Who speaks; empty if nobody knows.
    """

    id: str
    audio: Path
    text: str
    seconds: float
    speaker: str


class Found(NamedTuple):
    """An utterance as a layout lists it, its audio not yet looked into."""

    id: str
    audio: Path
    text: str
    speaker: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long an utterance may last.

    Attributes:
        shortest: Seconds; a frame of features lasts 0.025.
        longest: Seconds; the longest of LibriSpeech lasts 35.
    """

    shortest: float = 0.1
    longest: float = 40.0


LIMITS = Limits()
