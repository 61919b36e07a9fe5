"""Find the clips that tables list: a path and a word in each row."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from denas_asr.data.audio import EXTENSIONS
from denas_asr.data.forms import manifest
from denas_asr.data.forms.columns import Columns
from denas_asr.data.listing import list_folder
from denas_asr.data.problems import Problems
from denas_core.errors import ConfigError, keep_notices, safe_repr

from .clips import PARTS, Clip, ClipData

LABELS = ("label", "word", "keyword", "command", "class", "category", "target")
_SPLITS = ("split", "part", "set", "subset")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LabelColumns:
    """The columns that the user names; empty names are found.

    Attributes:
        audio: Column of the paths of audio files.
        label: Column of the words.
    """

    audio: str = ""
    label: str = ""


ANY_LABELS = LabelColumns()


def listed_clips(data: Path, named: LabelColumns = ANY_LABELS) -> ClipData | None:
    """Return the clips that tables list, or None if there is no table with a column of audio files and one of words.

    Raises:
        ConfigError: there is such a table, and none of its clips can be used, or a part has a name that is not known.
    """
    if data.is_file():
        tables = [data]
    elif data.is_dir():
        listed = sorted(name for name in list_folder(data).files if name.lower().endswith(manifest.ENDINGS))
        tables = [data / name for name in listed]
    else:
        return None
    columns = {path: _columns(path, data, named) for path in tables}
    tables = [path for path in tables if columns[path] is not None]
    if not tables:
        return None
    problems = Problems(where=str(data))
    parts: dict[str, list[Clip]] = {part: [] for part in PARTS}
    with keep_notices(problems.notices):
        for path in tables:
            found = columns[path]
            assert found is not None, "only tables with both columns are read"
            for part, clip in _clips(path, data, found, problems):
                parts[part].append(clip)
        if not any(parts.values()):
            missing = " ".join(problems.named.get("missing audio", ())).lower()
            if not any(ending in missing for ending in EXTENSIONS):
                # A table of pictures or of texts.
                return None
            raise ConfigError(f"{str(data)!r} lists no recording that is there with its word")
    return ClipData(
        train=parts["train"],
        valid=parts["valid"],
        test=parts["test"],
        notices=problems.notices(),
        format="a table of recordings with their words",
    )


def _columns(path: Path, data: Path, named: LabelColumns) -> Columns | None:
    """Return the columns of a table of clips; None if the file is no such table."""
    folder = data if data.is_dir() else data.parent
    for label in (named.label,) if named.label else LABELS:
        columns = Columns(audio=named.audio, text=label)
        if manifest.form_of(path, folder, columns) in ("table", "json"):
            return columns
    return None


def _clips(path: Path, data: Path, columns: Columns, problems: Problems) -> list[tuple[str, Clip]]:
    folder = data if data.is_dir() else data.parent
    listed = list(manifest.utterances(path, folder, columns, problems))
    own = _part_named(manifest.part_name(path))
    parts: Sequence[str] = [own or "train"] * len(listed)
    for name in _SPLITS:
        of_parts = Columns(audio=columns.audio, text=name)
        if not own and manifest.form_of(path, folder, of_parts) in ("table", "json"):
            # The same rows are left out again, so that the rows of both readings agree.
            again = manifest.utterances(path, folder, of_parts, Problems(where=problems.where))
            parts = [_part(each.text, path) for each in again]
            break
    clips = []
    for part, each in zip(parts, listed, strict=True):
        if each.audio.suffix.lower() not in EXTENSIONS:
            problems.remark("file of another kind", str(each.audio))
        elif each.text.strip():
            start = each.start if each.end is not None else None
            clips.append((part, Clip(str(each.audio), each.text.strip(), start)))
        else:
            problems.add("recording without a word", each.id)
    return clips


def _part(text: str, path: Path) -> str:
    if found := _part_named(text.strip()):
        return found
    raise ConfigError(
        f"{str(path)!r} has the part {safe_repr(text, 30)}, which is none of train, valid and test; rename it"
    )


def _part_named(name: str) -> str:
    return next((part for part, names in PARTS.items() if name.lower() in names), "")
