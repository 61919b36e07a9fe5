"""Clips as samples of a task."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from denas_asr.data.audio import EmptyAudio, UnreadableAudio, check_audio, read_header
from denas_asr.data.problems import Kind, Problems
from denas_core import Split
from denas_core.errors import ConfigError

from .clips import SILENCE, Clip
from .reading import ClipReader

if TYPE_CHECKING:
    from torch import Tensor

READERS = 8
"""Number of threads that check clips; decoding releases Python's global lock."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ClipSample:
    """A clip as a network's sample.

    Attributes:
        features: (bands, frames).
        label: Number of the word.
        name: Name of the network's input.
    """

    features: Tensor
    label: int
    name: str


class ClipSplit(Split[ClipSample]):
    """Clips, which are read when a sample is requested.

    Args:
        clips: The clips.
        reader: Computes their features.
        labels: The words, in the order of the network's outputs.
        name: Name of the network's input.
    """

    def __init__(
        self, clips: Sequence[Clip], reader: ClipReader, *, labels: Sequence[str], name: str
    ) -> None:
        self.clips = list(clips)
        self.reader = reader
        self.name = name
        self._numbers = {label: number for number, label in enumerate(labels)}

    def __len__(self) -> int:
        """Return the number of clips."""
        return len(self.clips)

    def sample(self, index: int, rng: random.Random | None = None) -> ClipSample:
        """Return a clip; with `rng`, it is changed as training clips are.

        Raises:
            UnreadableAudio: the file is damaged.
        """
        clip = self.clips[index]
        features = self.reader.features(clip, rng)
        # The clip of a user has no label; its number has no meaning.
        return ClipSample(features=features, label=self._numbers.get(clip.label, 0), name=self.name)


def readable(clips: Sequence[Clip], where: str, *, decode: bool) -> tuple[list[Clip], tuple[str, ...]]:
    """Return the clips that can be read, and notices about the others.

    Args:
        clips: The clips.
        where: What notices call them.
        decode: Whether to decode each file, which finds all damage, or to read only its header.

    Raises:
        ConfigError: none can be read.
    """

    def fault(clip: Clip) -> tuple[Kind, str] | None:
        try:
            if not decode:
                read_header(clip.audio)
            elif check_audio(clip.audio).is_silent and SILENCE not in clip.label.lower():
                return "silent audio", clip.audio
        except EmptyAudio as error:
            return "empty audio", str(error).partition(";")[0]
        except UnreadableAudio as error:
            return "undecodable audio", str(error).partition(";")[0]
        return None

    with ThreadPoolExecutor(READERS) as pool:
        faults = list(pool.map(fault, clips))
    problems = Problems(where=where)
    for found in faults:
        if found is not None:
            problems.add(*found)
    kept = [clip for clip, found in zip(clips, faults, strict=True) if found is None]
    if clips and not kept:
        raise ConfigError(f"{where!r} has no usable recording: {'. '.join(problems.lines())}")
    return kept, problems.notices()
