"""Find recordings that are in two parts of the data."""

from __future__ import annotations

import os
from collections.abc import Sequence

from .utterance import Utterance


def shared_recordings(learnt: Sequence[Utterance], measured: Sequence[Utterance]) -> list[str]:
    """Return the ids of utterances in `measured` whose recording is in `learnt` as well.

    A recording is the same if the file and the place in it are the same, or if all samples are equal.
    """
    known = {key for each in learnt for key in _keys(each)}
    return [each.id for each in measured if not known.isdisjoint(_keys(each))]


def _keys(each: Utterance) -> tuple[object, ...]:
    place = (os.path.realpath(each.audio), each.start, each.end)
    return (place, each.sound) if each.sound else (place,)
