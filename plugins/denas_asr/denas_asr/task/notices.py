"""What the user should know of transcripts: those that CTC cannot learn, and those with unknown characters."""

from __future__ import annotations

from collections import Counter

from denas_core import SearchSpace

from .form import encoded_share, frames_needed
from .split import SpeechSplit

NAMED = 3
"""Cases that are told by name."""


def too_short_notice(split: SpeechSplit, space: SearchSpace) -> tuple[str, ...]:
    """Return a notice of utterances that have fewer encoded frames than CTC needs for their transcript, if any have."""
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
        f"{len(short)} of {len(split)} utterances to learn from are too short for their transcript ({_first_names(short)}): "
        "CTC learns nothing from them, the decoder does",
    )


def unknown_notice(split: SpeechSplit, purpose: str) -> tuple[str, ...]:
    """Return a notice of what in transcripts has no symbol, if anything has none.

    Args:
        split: The utterances.
        purpose: What they are for.
    """
    found = Counter(
        piece for utterance in split.utterances for piece in split.vocabulary.unknown(utterance.text)
    )
    if not found:
        return ()
    pieces = _first_names([f"{piece!r} {count} times" for piece, count in found.most_common()])
    return (
        f"{found.total()} places of the transcripts {purpose} have no symbol in the vocabulary ({pieces}) and cannot "
        "be recognised",
    )


def _first_names(names: list[str]) -> str:
    return f"{', '.join(names[:NAMED])}{', ...' if len(names) > NAMED else ''}"
