"""Divide the clips of a data set into parts, and choose the words that are told apart."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence

from denas_asr.data.audio import read_header
from denas_core import derive_rng
from denas_core.errors import ConfigError, did_you_mean

from .clips import SILENCE, UNKNOWN, Clip, ClipData

SAME_SPEAKER = "_nohash_"
"""What follows the speaker in a file name of Speech Commands."""

TRAIN_SHARE = 0.8
"""Share of each file of noise, from its beginning, whose clips are trained on."""


def held_out(data: ClipData, share: float) -> ClipData:
    """Return the data with validation clips: those it has, or else a share of the training clips of each word.

    A speaker is in one part only, if the names of the files say who speaks.

    Raises:
        ConfigError: a word has a single clip, so that none can be set aside.
    """
    if data.valid or not data.train:
        return data
    train: list[Clip] = []
    valid: list[Clip] = []
    words: dict[str, dict[str, list[Clip]]] = {}
    for clip in data.train:
        words.setdefault(clip.label, {}).setdefault(_speaker(clip), []).append(clip)
    for label, by_speaker in words.items():
        count = sum(map(len, by_speaker.values()))
        wanted = max(1, round(share * count))
        if len(by_speaker) < 2:
            raise ConfigError(
                f"the word {label!r} has {count} recordings of one speaker, so that none can be set aside for "
                "validation; add recordings of others, or put some into a folder valid/"
            )
        # The order of speakers is the same for all words, so that a speaker is set aside with all words.
        speakers = sorted(by_speaker, key=lambda speaker: derive_rng(0, f"held out {speaker}").random())
        aside = 0
        for number, speaker in enumerate(speakers):
            is_aside = aside < wanted and number < len(speakers) - 1
            (valid if is_aside else train).extend(by_speaker[speaker])
            aside += len(by_speaker[speaker]) if is_aside else 0
    return dataclasses.replace(data, train=train, valid=valid)


def choose_words(data: ClipData, words: Sequence[str], *, with_silence: bool, seconds: float) -> ClipData:
    """Return the data in which words that are not named are `UNKNOWN`, and noise is `SILENCE`.

    Of the other words, training and validation keep as many clips as a named word has on average, and as many clips of
    noise are added, as in Speech Commands (Warden 2018, arXiv:1804.03209, section 7). Without names, all words are
    kept, and nothing is added.

    Raises:
        ConfigError: a named word is not in the data.
    """
    if not words:
        return data
    labels = data.labels
    for word in words:
        if word not in labels:
            raise ConfigError(
                f"the data have no word {word!r}{did_you_mean(word, labels) or '; they have ' + _some(labels)}"
            )

    def chosen(clips: Sequence[Clip], part: str) -> list[Clip]:
        known = [clip for clip in clips if clip.label in words]
        others = [
            dataclasses.replace(clip, label=UNKNOWN)
            for clip in clips
            if clip.label not in words and clip.label != SILENCE
        ]
        count = round(len(known) / len(words))
        rng = derive_rng(0, f"other words of {part}")
        kept = known + sorted(rng.sample(others, min(count, len(others))), key=lambda clip: clip.audio)
        if with_silence and known:
            kept += noise_clips(data.noise, count, seconds=seconds, to_train=part == "train")
        return kept

    return dataclasses.replace(
        data,
        train=chosen(data.train, "train"),
        valid=chosen(data.valid, "valid"),
        test=chosen(data.test, "test"),
    )


def noise_clips(files: Sequence[str], count: int, *, seconds: float, to_train: bool) -> list[Clip]:
    """Return clips of background noise at even distances; those to train on come from another time than the others."""
    spans = []
    for file in files:
        length = read_header(file).seconds
        border = TRAIN_SHARE * length
        begin, end = (0.0, border) if to_train else (border, length)
        if end - begin >= seconds:
            spans.append((file, begin, end - begin - seconds))
    each = -(-count // len(spans)) if spans else 0
    return [
        Clip(file, SILENCE, start=round(begin + room * number / max(1, each - 1), 3))
        for file, begin, room in spans
        for number in range(each)
    ][:count]


def duplicates(data: ClipData) -> list[str]:
    """Return a notice if recordings are in several parts under the same name, which counts them."""
    names = Counter(
        (clip.label, clip.audio.rsplit("/", 1)[-1])
        for part in (data.train, data.valid, data.test)
        for clip in part
        if clip.start is None
    )
    repeated = [name for (_, name), count in names.items() if count > 1]
    if not repeated:
        return []
    return [f"{len(repeated)} file names are in several parts, such as {repeated[0]!r}"]


def _speaker(clip: Clip) -> str:
    name = clip.audio.rsplit("/", 1)[-1]
    return name.split(SAME_SPEAKER)[0] if SAME_SPEAKER in name else name


def _some(labels: Iterable[str]) -> str:
    names = list(labels)
    return ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
