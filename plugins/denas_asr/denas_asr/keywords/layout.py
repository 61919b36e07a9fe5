"""Find the clips of a data set: one folder for each word, laid out as Speech Commands or in parts."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

from denas_asr.data.audio import EXTENSIONS
from denas_core import is_hidden
from denas_core.errors import ConfigError

from .clips import Clip, ClipData

LOOKED_FOR = "WORD/*.wav, or train/WORD/*.wav with valid/ or test/ beside it"
NOISE = ("_background_noise_", "background_noise", "noise")
PARTS = {
    "train": ("train", "training"),
    "valid": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing"),
}
LISTS = {"valid": "validation_list.txt", "test": "testing_list.txt"}
"""Files of Speech Commands (Warden 2018, arXiv:1804.03209) with the clips of a part, one path a line."""


def find_clips(data: Path) -> ClipData | None:
    """Return the clips of a data set without opening them, or None if it has no such layout.

    Raises:
        ConfigError: the layout is known, and a folder or list cannot be used; the text names it.
    """
    if not data.is_dir():
        return None
    try:
        folders = _folders(data)
        return _in_parts(data) or _in_words(data) or (_below(folders[0]) if len(folders) == 1 else None)
    except OSError as error:
        raise ConfigError(
            f"{error.filename or str(data)!r} cannot be read: {error.strerror or error}"
        ) from error


def _below(folder: Path) -> ClipData | None:
    return _in_parts(folder) or _in_words(folder)


def _in_parts(root: Path) -> ClipData | None:
    folders = {path.name.lower(): path for path in _folders(root)}
    found = {
        part: next((folders[name] for name in names if name in folders), None)
        for part, names in PARTS.items()
    }
    words = {part: folder for part, folder in found.items() if folder is not None and _words(folder)}
    if not words:
        return None
    skipped = _Skipped()
    parts = {part: _clips(folder, skipped) for part, folder in words.items()}
    return ClipData(
        train=parts.get("train", ()),
        valid=parts.get("valid", ()),
        test=parts.get("test", ()),
        noise=[file for folder in (root, *words.values()) for file in _noise(folder)],
        notices=skipped.notices(),
    )


def _in_words(root: Path) -> ClipData | None:
    if len(_words(root)) < 2:
        return None
    skipped = _Skipped()
    clips = _clips(root, skipped)
    listed = {part: _listed(root / name) for part, name in LISTS.items()}
    parts: dict[str, list[Clip]] = {"train": [], "valid": [], "test": []}
    for clip in clips:
        name = _normal(Path(clip.audio).relative_to(root).as_posix())
        parts[next((part for part, names in listed.items() if name in names), "train")].append(clip)
    for part, names in listed.items():
        if names and not parts[part]:
            raise ConfigError(
                f"{str(root / LISTS[part])!r} names no file that is there, such as {sorted(names)[0]!r}; remove the "
                "list, or unpack the data again"
            )
    return ClipData(**parts, noise=_noise(root), notices=skipped.notices())


class _Skipped:
    """What is not read, by reason."""

    def __init__(self) -> None:
        self._names: dict[str, list[str]] = {}

    def add(self, reason: str, name: str) -> None:
        self._names.setdefault(reason, []).append(name)

    def notices(self) -> Sequence[str]:
        return [
            f"{len(names)} {reason}, such as {names[0]!r}: left out" for reason, names in self._names.items()
        ]


def _clips(folder: Path, skipped: _Skipped) -> list[Clip]:
    clips = []
    for word in _words(folder):
        label = _normal(word.name)
        for file in _files(word, skipped):
            if file.lower().endswith(EXTENSIONS):
                clips.append(Clip(file, label))
            else:
                skipped.add("files are not audio", file)
    for entry in os.scandir(folder):
        if entry.is_file() and entry.name.lower().endswith(EXTENSIONS) and not is_hidden(entry.name):
            skipped.add("recordings are not in the folder of a word", entry.path)
    for other in _folders(folder):
        if other.name.lower() not in NOISE and not _has_audio(other):
            skipped.add("folders have no audio directly in them", str(other))
    return clips


def _words(folder: Path) -> list[Path]:
    """Return the folders of words in a folder, sorted by name."""
    return [
        path
        for path in _folders(folder)
        if path.name.lower() not in (*NOISE, *(name for names in PARTS.values() for name in names))
        and _has_audio(path)
    ]


def _noise(folder: Path) -> list[str]:
    return [
        file
        for path in _folders(folder)
        if path.name.lower() in NOISE
        for file in _files(path, _Skipped())
        if file.lower().endswith(EXTENSIONS)
    ]


def _has_audio(folder: Path) -> bool:
    # Only files directly in the folder count: a folder of speakers, as in LibriSpeech, is not a word.
    return any(
        entry.is_file() and not is_hidden(entry.name) and entry.name.lower().endswith(EXTENSIONS)
        for entry in os.scandir(folder)
    )


def _folders(folder: Path) -> list[Path]:
    found = [Path(entry.path) for entry in os.scandir(folder) if entry.is_dir()]
    return sorted((path for path in found if not is_hidden(path.name)), key=lambda path: path.name)


def _files(folder: Path, skipped: _Skipped) -> Iterator[str]:
    for base, inner, names in os.walk(folder):
        for name in [name for name in inner if is_hidden(name)]:
            skipped.add("hidden folders are not read", os.path.join(base, name))  # noqa: PTH118 - many paths
        for name in inner:
            if os.path.islink(os.path.join(base, name)):  # noqa: PTH114, PTH118 - many paths
                skipped.add("links to folders are not followed", os.path.join(base, name))  # noqa: PTH118
        inner[:] = sorted(name for name in inner if not is_hidden(name))
        yield from (os.path.join(base, name) for name in sorted(names) if not is_hidden(name))  # noqa: PTH118


def _listed(path: Path) -> frozenset[str]:
    """Return the names in a list of clips; none if there is no such list."""
    if not path.is_file():
        return frozenset()
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ConfigError(f"{str(path)!r} is not UTF-8: {error.reason} at byte {error.start}") from error
    return frozenset(
        _normal(line.strip().replace("\\", "/").removeprefix("./")) for line in lines if line.strip()
    )


def _normal(name: str) -> str:
    return unicodedata.normalize("NFC", name)
