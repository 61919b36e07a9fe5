"""Find the clips of a data set: one folder for each word, laid out as Speech Commands or in parts."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from denas_asr.data.audio import EXTENSIONS
from denas_asr.data.problems import Problems
from denas_core import is_hidden
from denas_core.errors import ConfigError

from .clips import PARTS, Clip, ClipData
from .manifest import ANY_LABELS, LabelColumns, listed_clips

LOOKED_FOR = (
    "WORD/*.wav, train/WORD/*.wav with valid/ or test/ beside it, or a table with columns of paths and labels"
)
NOISE = ("_background_noise_", "background_noise", "noise")
LISTS = {"valid": "validation_list.txt", "test": "testing_list.txt"}
"""Files of Speech Commands (Warden 2018, arXiv:1804.03209) with the clips of a part, one path a line."""


def find_clips(data: Path, named: LabelColumns = ANY_LABELS) -> ClipData | None:
    """Return the clips of a data set without opening them, or None if it has no such layout.

    Args:
        data: The folder, or a table of clips.
        named: The columns of a table that the user names.

    Raises:
        ConfigError: the layout is known, and a folder or list cannot be used; the text names it.
    """
    try:
        if (listed := listed_clips(data, named)) is not None or not data.is_dir():
            return listed
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
    problems = Problems(where=str(root))
    parts = {part: _clips(folder, problems) for part, folder in words.items()}
    return ClipData(
        train=parts.get("train", ()),
        valid=parts.get("valid", ()),
        test=parts.get("test", ()),
        noise=[file for folder in (root, *words.values()) for file in _noise(folder)],
        notices=problems.notices(),
    )


def _in_words(root: Path) -> ClipData | None:
    if len(_words(root)) < 2:
        return None
    problems = Problems(where=str(root))
    clips = _clips(root, problems)
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
    return ClipData(
        train=parts["train"],
        valid=parts["valid"],
        test=parts["test"],
        noise=_noise(root),
        notices=problems.notices(),
    )


def _clips(folder: Path, problems: Problems) -> list[Clip]:
    clips = []
    for word in _words(folder):
        label = _normal(word.name)
        for file in _files(word, problems):
            if file.lower().endswith(EXTENSIONS):
                clips.append(Clip(file, label))
            else:
                problems.remark("file of another kind", file)
    for entry in os.scandir(folder):
        if entry.is_file() and entry.name.lower().endswith(EXTENSIONS) and not is_hidden(entry.name):
            problems.remark("recording outside the folders of words", entry.path)
    for other in _folders(folder):
        if other.name.lower() not in NOISE and not _has_audio(other):
            problems.remark("folder without audio directly in it", str(other))
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
        for file in _files(path, Problems(where=str(path)))
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


def _files(folder: Path, problems: Problems) -> Iterator[str]:
    for base, inner, names in os.walk(folder):
        for name in [name for name in inner if is_hidden(name)]:
            problems.remark("hidden file or folder", os.path.join(base, name))  # noqa: PTH118 - many paths
        for name in inner:
            if os.path.islink(os.path.join(base, name)):  # noqa: PTH114, PTH118 - many paths
                problems.remark("link to a folder", os.path.join(base, name))  # noqa: PTH118
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
