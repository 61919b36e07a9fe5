"""Read utterances with their transcripts, and report those that are left out."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from denas_core.errors import ConfigError, keep_notices

from .audio import EmptyAudio, Sound, UnreadableAudio, check_audio, read_header
from .forms.columns import ANY_COLUMNS, Columns
from .problems import Kind, Problems, shown
from .utterance import LIMITS, Found, Limits, Utterance

READERS = 8
"""Number of threads that read audio files; reading and decoding release Python's global lock."""

FILES_PER_JOB = 64
"""Number of files that a thread reads in one piece of work."""


class Part(NamedTuple):
    """A part of the data: the usable utterances, and the problems of the others."""

    utterances: list[Utterance]
    problems: Problems


def read_split(
    data: Path,
    part: str | None = None,
    *,
    limits: Limits = LIMITS,
    decode: bool = True,
    strict: bool = False,
    columns: Columns = ANY_COLUMNS,
) -> Part:
    """Return the utterances of one part of the data, in the order of their ids or of the manifest.

    Args:
        data: A folder or a manifest in one of the forms of `denas_asr.data.forms`.
        part: Name of the part; not needed if there is only one.
        limits: Allowed lengths of an utterance.
        decode: Whether to decode all audio once. This finds damaged files and takes one second of processor time for an
            hour of audio; reading only the headers takes a fifth of that.
        strict: Whether any problem is an error.
        columns: The columns of manifests that the user names.

    Raises:
        ConfigError: there is no such part, it has no usable utterance, or it has problems and `strict` is True.
    """
    from .layouts import find_part

    found, problems = find_part(Path(data), part, columns)
    with keep_notices(problems.notices):
        utterances = _check_audio(found, problems, limits, decode)
    if strict:
        problems.refuse()
    if not utterances:
        error = ConfigError(
            f"{problems.where!r} has no usable utterance: {'. '.join(problems.lines()) or 'it is empty'}"
        )
        error.notices = tuple(
            f"{problems.where!r} is read without {line}" for line in problems.remark_lines()
        )
        raise error
    return Part(utterances, problems)


def _check_audio(found: Iterable[Found], problems: Problems, limits: Limits, decode: bool) -> list[Utterance]:
    kept: dict[str, Found] = {}
    for each in found:
        text = " ".join(unicodedata.normalize("NFC", each.text).split())
        if each.id in kept:
            problems.add("repeated id", shown(each.id))
        elif not text:
            problems.add("empty transcript", shown(each.id))
        else:
            kept[each.id] = each._replace(text=text)

    def checked(each: Found) -> Sound | UnreadableAudio:
        try:
            return _sound(each, limits, decode)
        except UnreadableAudio as error:
            return error

    everything = list(kept.values())
    some = [everything[start : start + FILES_PER_JOB] for start in range(0, len(everything), FILES_PER_JOB)]
    utterances = []
    with ThreadPoolExecutor(READERS) as pool:
        found_out = chain.from_iterable(pool.map(lambda each: list(map(checked, each)), some))
        for each, sound in zip(everything, found_out, strict=True):
            if (fault := _fault(each, sound, limits)) is not None:
                problems.add(*fault)
            elif isinstance(sound, Sound):
                utterances.append(Utterance(**each._asdict(), seconds=sound.seconds, sound=sound.fingerprint))
    return utterances


def _sound(each: Found, limits: Limits, decode: bool) -> Sound:
    """Return what is known of the audio of an utterance; only its length if it is not decoded.

    Raises:
        UnreadableAudio: see `read_header` and `check_audio`.
    """
    path = str(each.audio)
    header = read_header(path)
    seconds = max((header.seconds if each.end is None else min(each.end, header.seconds)) - each.start, 0.0)
    # The header is enough to report audio that is too long; decoding it would only take time.
    if decode and limits.shortest <= seconds <= limits.longest:
        return check_audio(path, start=each.start, end=each.end)
    return Sound(seconds=seconds, fingerprint="", is_silent=False)


def _fault(each: Found, sound: Sound | UnreadableAudio, limits: Limits) -> tuple[Kind, str] | None:
    id = shown(each.id)
    if isinstance(sound, EmptyAudio):
        return "empty audio", id
    if isinstance(sound, UnreadableAudio):
        return "undecodable audio", str(sound).partition(";")[0]
    if each.start and not sound.seconds:
        return "impossible segment", f"{id} begins at {each.start:g} s, after the end of {str(each.audio)!r}"
    if sound.seconds < limits.shortest:
        return "too short audio", f"{id} lasts {sound.seconds:.2f} of {limits.shortest:g} s"
    if sound.seconds > limits.longest:
        return "too long audio", f"{id} lasts {sound.seconds:.1f} of {limits.longest:g} s"
    return ("silent audio", id) if sound.is_silent else None
