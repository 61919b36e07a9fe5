"""Describe speech data from their transcripts and the headers of some of their recordings."""

from __future__ import annotations

import dataclasses
import statistics
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from denas_asr.data.audio import EXTENSIONS, Header, UnreadableAudio, read_header
from denas_asr.data.forms import manifest
from denas_asr.data.layouts import find_part, is_part, part_names, place_of
from denas_asr.data.problems import NAMED, Problems, shown
from denas_asr.data.utterance import Found
from denas_asr.data.utterances import READERS
from denas_asr.vocabulary.choice import CHARACTERS, make_vocabulary
from denas_asr.vocabulary.vocabulary import single_spaced
from denas_core import DataDescription
from denas_core.errors import ConfigError

from .data_options import DataOptions
from .form import frames_needed
from .held_out import check_transcripts
from .parts import TEST, training_part, validation_part

LOOKED_AT = 300
"""Number of recordings of a part whose headers are read, at equal distances."""

ENCODED_FRAMES_PER_SECOND = 25
"""Number of frames that the networks of asr/transformer and asr/conformer encode for a second of audio."""

SMALL_HOURS = 20.0
"""Hours of training data below which small networks are proposed."""

SMALL = ("asr/transformer:micro", "asr/conformer:micro")
LARGE = ("asr/transformer", "asr/conformer")

_SOUNDS_LIKE_AUDIO = (*EXTENSIONS, ".m4a", ".mp4", ".aac", ".wma", ".webm", ".amr", ".wv")


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Part:
    """A part of the data, with the headers of some recordings and the lengths of their utterances."""

    name: str
    found: list[Found]
    headers: list[Header]
    seconds: list[float]
    crowded: list[str]
    problems: Problems

    @property
    def hours(self) -> float:
        return statistics.fmean(self.seconds) * len(self.found) / 3600


def describe_speech(task: DataOptions, data: Path) -> DataDescription | None:
    """Return what speech data contain; None if the data are of another kind.

    Raises:
        ConfigError: they are recordings with transcripts, and the task would refuse them.
    """
    columns = task.columns
    if not data.exists() or not _is_speech(task, data):
        return None
    names = part_names(data, columns)
    chosen = {
        "train": training_part(data, task.train, columns) or next(iter(names), None),
        "valid": validation_part(data, task.dev, columns),
    }
    if chosen["valid"] is None:
        del chosen["valid"]
    tests = [name for name in names if name.lower().startswith(TEST) and name not in chosen.values()]
    if len(tests) == 1:
        chosen["test"] = tests[0]
    parts = [_read(task, data, purpose, name) for purpose, name in chosen.items()]
    texts = [single_spaced(each.text) for each in parts[0].found]
    check_transcripts(texts, parts[0].problems.where)
    characters = Counter("".join(texts))
    hours = parts[0].hours
    return DataDescription(
        format=place_of(data, chosen["train"], columns).form_name(columns),
        samples={part.name: len(part.found) for part in parts},
        facts={
            "hours": ", ".join(f"{part.name} {part.hours:.2f}" for part in parts),
            **_facts(parts),
            "characters": f"{len(characters)}: {''.join(sorted(characters))!r}",
            "vocabulary": f"{task.vocab}, {_symbols(task, texts)} symbols",
        },
        space_options={"vocabulary": _symbols(task, texts)},
        spaces=(*SMALL, *LARGE) if hours < SMALL_HOURS else (*LARGE, *SMALL),
        notices=_notices(task, parts, unread=[name for name in names if name not in chosen.values()]),
    )


def _is_speech(task: DataOptions, data: Path) -> bool:
    """Return whether the data have recordings with transcripts, readable or not."""
    columns = task.columns
    if data.is_file():
        if manifest.form_of(data, data.parent, columns) is None:
            return False
        name = None
    else:
        names = part_names(data, columns)
        if not names and not is_part(data, columns):
            return False
        name = names[0] if names else None
    found, problems = find_part(data, name, columns)
    first = next(iter(found), None)
    if first is not None:
        return first.audio.suffix.lower() in _SOUNDS_LIKE_AUDIO or _is_audio(first.audio)
    # Pictures with captions are also files with texts.
    missing = " ".join(problems.named.get("missing audio", ())).lower()
    return not missing or any(ending in missing for ending in _SOUNDS_LIKE_AUDIO)


def _is_audio(path: Path) -> bool:
    try:
        read_header(str(path))
    except UnreadableAudio:
        return False
    return True


def _read(task: DataOptions, data: Path, purpose: str, name: str | None) -> _Part:
    """Return a part, after its listing and some headers have been read.

    Raises:
        ConfigError: no utterance can be used.
    """
    listed, problems = find_part(data, name, task.columns)
    found, ids = [], set()
    for each in listed:
        if each.id in ids:
            problems.add("repeated id", shown(each.id))
        elif not each.text.strip():
            problems.add("empty transcript", shown(each.id))
        else:
            ids.add(each.id)
            found.append(each)
    step = max(1, -(-len(found) // LOOKED_AT))
    looked_at = found[::step]
    headers, seconds, crowded = [], [], []
    with ThreadPoolExecutor(READERS) as pool:
        for each, header in zip(looked_at, pool.map(_header_or_error, looked_at), strict=True):
            if isinstance(header, UnreadableAudio):
                problems.add("undecodable audio", str(header).partition(";")[0])
                continue
            headers.append(header)
            seconds.append(max((each.end or header.seconds) - each.start, 0.0))
            if frames_needed(each.text) > ENCODED_FRAMES_PER_SECOND * seconds[-1]:
                crowded.append(each.id)
    if not headers:
        raise ConfigError(
            f"{problems.where!r} has no usable utterance: {'. '.join(problems.lines()) or 'it is empty'}"
        )
    return _Part(
        name=purpose, found=found, headers=headers, seconds=seconds, crowded=crowded, problems=problems
    )


def _header_or_error(each: Found) -> Header | UnreadableAudio:
    try:
        return read_header(str(each.audio))
    except UnreadableAudio as error:
        return error


def _facts(parts: Sequence[_Part]) -> dict[str, str]:
    seconds = [length for part in parts for length in part.seconds]
    rates = Counter(header.rate for part in parts for header in part.headers)
    channels = Counter(header.channels for part in parts for header in part.headers)
    speakers = {each.speaker for part in parts for each in part.found if each.speaker}
    return {
        "lengths": f"{statistics.fmean(seconds):.1f} s on average, from {min(seconds):.1f} to {max(seconds):.1f} s",
        "sample rates": ", ".join(f"{rate} Hz" for rate, _ in rates.most_common()),
        "channels": ", ".join(str(count) for count, _ in channels.most_common()),
        "speakers": str(len(speakers)) if speakers else "not named",
    }


def _symbols(task: DataOptions, texts: Sequence[str]) -> int:
    kind, _, count = task.vocab.partition(":")
    if kind != CHARACTERS and count.isdecimal():
        # Pieces are trained only when a training begins; the blank, the beginning and the end come in addition.
        return int(count) + 3
    return len(make_vocabulary(task.vocab, texts))


def _notices(task: DataOptions, parts: Sequence[_Part], unread: Sequence[str]) -> list[str]:
    notices = [notice for part in parts for notice in part.problems.notices()]
    for part in parts:
        if len(part.headers) < len(part.found):
            notices.append(
                f"the lengths of {part.name!r} are those of {len(part.headers)} of its {len(part.found)} recordings"
            )
        if part.crowded:
            names = ", ".join(map(shown, part.crowded[:NAMED]))
            notices.append(
                f"{len(part.crowded)} of {len(part.headers)} utterances of {part.name!r} have a longer transcript than "
                f"their audio can hold ({names}{', ...' if len(part.crowded) > NAMED else ''})"
            )
    if not any(part.name == "valid" for part in parts):
        notices.append(
            f"there is no part for validation: {task.valid_share:.0%} of the training part are used for it "
            "(task.valid_share)"
        )
    if unread:
        notices.append(f"the parts {', '.join(unread)} are not needed for a training")
    return notices
