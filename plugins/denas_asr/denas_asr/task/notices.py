"""Notices about transcripts: those that CTC cannot learn, and those with unknown characters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from denas_asr.data.problems import shown
from denas_asr.data.shared import shared_recordings
from denas_asr.data.utterance import Utterance
from denas_core import SearchSpace

from .form import encoded_share, frames_needed
from .split import SpeechSplit

NAMED = 3
"""Number of cases that are listed by name."""


def too_short_notice(split: SpeechSplit, space: SearchSpace) -> tuple[str, ...]:
    """Return a notice if utterances have fewer encoded frames than CTC needs for their transcripts."""
    share = encoded_share(space)
    short = [
        utterance.id
        for utterance in split.utterances
        if int(share * split.pipeline.frames(utterance.seconds))
        < frames_needed(split.vocabulary.encode(utterance.text))
    ]
    if not short:
        return ()
    return (
        f"{len(short)} of {len(split)} training utterances are too short for their transcripts "
        f"({_first_names(short)}): only the decoder learns from them, CTC cannot",
    )


def unknown_notice(split: SpeechSplit, purpose: str) -> tuple[str, ...]:
    """Return a notice if text in transcripts has no symbol in the vocabulary.

    Args:
        split: The utterances.
        purpose: The part they belong to, for the text of the notice.
    """
    found = Counter(
        piece for utterance in split.utterances for piece in split.vocabulary.unknown(utterance.text)
    )
    if not found:
        return ()
    pieces = _first_names([f"{piece!r} {count} times" for piece, count in found.most_common()])
    return (
        f"{found.total()} pieces of the {purpose} transcripts are not in the vocabulary ({pieces}) and cannot be "
        "recognised",
    )


def shared_notice(learnt: Sequence[Utterance], measured: Sequence[Utterance]) -> tuple[str, ...]:
    """Return a notice if recordings are in both parts, as the same file or as a copy with the same samples."""
    found = shared_recordings(learnt, measured)
    if not found:
        return ()
    return (
        f"{len(found)} of {len(measured)} validation utterances are recordings of the training part too "
        f"({_first_names([shown(id) for id in found])}): error rates on them do not show what was learnt",
    )


def _first_names(names: list[str]) -> str:
    return f"{', '.join(names[:NAMED])}{', ...' if len(names) > NAMED else ''}"
