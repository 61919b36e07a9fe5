"""Read utterances with their transcripts, and report those that are left out."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from denas_asr.data.utterance import LIMITS, Found, Limits, Utterance
from denas_core.errors import ConfigError

from .audio import EmptyAudio, UnreadableAudio, check_audio, read_header
from .problems import Problems

READERS = 8
"""Number of threads that read audio files; reading and decoding release Python's global lock."""

FILES_PER_JOB = 64
"""Number of files that a thread reads in one piece of work."""


class Part(NamedTuple):
    """A part of the data: the usable utterances, and the problems of the others."""

    utterances: list[Utterance]
    problems: Problems


def read_split(
    data: Path, part: str | None = None, *, limits: Limits = LIMITS, decode: bool = True, strict: bool = False
) -> Part:
    """Return the utterances of one part of the data, in the order of their ids or of the manifest.

    Args:
        data: A folder laid out as LibriSpeech, a part of one, a manifest, or a folder of manifests.
        part: Name of the part; not needed if there is only one.
        limits: Allowed lengths of an utterance.
        decode: Whether to decode all audio once. This finds damaged files and takes one second of processor time for an
            hour of audio; reading only the headers takes a fifth of that.
        strict: Whether any problem is an error.

    Raises:
        ConfigError: there is no such part, it has no usable utterance, or it has problems and `strict` is True.
    """
    from .layouts import find_part

    found, problems = find_part(Path(data), part)
    utterances = _check_audio(found, problems, limits, decode)
    if strict:
        problems.refuse()
    if not utterances:
        raise ConfigError(
            f"{problems.where!r} has no usable utterance: {'. '.join(problems.lines()) or 'it is empty'}"
        )
    return Part(utterances, problems)


def _check_audio(found: Iterable[Found], problems: Problems, limits: Limits, decode: bool) -> list[Utterance]:
    kept: dict[str, Found] = {}
    for each in found:
        text = " ".join(unicodedata.normalize("NFC", each.text).split())
        if each.id in kept:
            problems.add("repeated id", each.id)
        elif not text:
            problems.add("empty transcript", each.id)
        else:
            kept[each.id] = each._replace(text=text)

    def seconds(each: Found) -> float | UnreadableAudio:
        try:
            path = str(each.audio)
            # The header is enough to report audio that is too long; decoding it would only take time.
            header = read_header(path)
            if decode and header.seconds <= limits.longest:
                check_audio(path)
            return header.seconds
        except UnreadableAudio as error:
            return error

    everything = list(kept.values())
    some = [everything[start : start + FILES_PER_JOB] for start in range(0, len(everything), FILES_PER_JOB)]
    utterances = []
    with ThreadPoolExecutor(READERS) as pool:
        found_out = chain.from_iterable(pool.map(lambda each: list(map(seconds, each)), some))
        for each, lasts in zip(everything, found_out, strict=True):
            if isinstance(lasts, EmptyAudio):
                problems.add("empty audio", each.id)
            elif isinstance(lasts, UnreadableAudio):
                problems.add("undecodable audio", str(lasts).partition(";")[0])
            elif lasts < limits.shortest:
                problems.add("too short audio", f"{each.id} lasts {lasts:.2f} of {limits.shortest:g} s")
            elif lasts > limits.longest:
                problems.add("too long audio", f"{each.id} lasts {lasts:.1f} of {limits.longest:g} s")
            else:
                utterances.append(
                    Utterance(
                        id=each.id, audio=each.audio, text=each.text, seconds=lasts, speaker=each.speaker
                    )
                )
    return utterances
