"""Find a part of the data and recognise its form."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from denas_core import is_hidden
from denas_core.errors import ConfigError, did_you_mean

from .forms import file_list, json_lines, kaldi, librispeech, manifest, paired, table
from .forms.columns import ANY_COLUMNS, Columns
from .listing import list_folder
from .problems import Problems
from .utterance import Found

PURPOSES = ("train", "dev", "valid", "val", "test")
"""How the names of parts begin by which a folder is recognised as one of several parts."""

LOOKED_FOR = (
    "PART/SPEAKER/CHAPTER/*.trans.txt with audio beside it, a table or JSON lines with audio files and transcripts, "
    "wav.scp and text of Kaldi, or audio files each with a .txt of the same name"
)

_NAMES = {"table": table.NAME, "json": json_lines.NAME, "list": file_list.NAME}


class PlacedPart(NamedTuple):
    """Where a part is: its folder, or its manifest with the folder of the data."""

    path: Path
    data: Path

    def form_name(self, columns: Columns) -> str:
        """Return what the files of the part are, in words."""
        if self.path.is_dir():
            if (module := _folder_form(self.path)) is not None:
                return str(module.NAME)
            path = manifest.manifest_of(self.path, columns) or self.path
        else:
            path = self.path
        return _NAMES[manifest.form_of(path, self.data, columns) or "table"]


def find_part(
    data: Path, part: str | None, columns: Columns = ANY_COLUMNS
) -> tuple[Iterable[Found], Problems]:
    """Return the utterances that a part of the data lists, and a `Problems` to which faults are added.

    Raises:
        ConfigError: there is no such part, several parts match, or a manifest is not in a known form.
    """
    place = place_of(data, part, columns)
    problems = Problems(where=str(place.path))
    if not place.path.is_dir():
        return manifest.utterances(place.path, place.data, columns, problems), problems
    if (module := _folder_form(place.path)) is not None:
        return module.utterances(place.path, problems), problems
    listed = manifest.manifest_of(place.path, columns)
    if listed is None:
        raise ConfigError(
            f"{str(place.path)!r} contains no speech data in a known form; looked for {LOOKED_FOR}"
        )
    return manifest.utterances(listed, place.path, columns, problems), problems


def part_names(data: Path, columns: Columns = ANY_COLUMNS) -> list[str]:
    """Return the names of the parts in a folder, the name of a manifest, or nothing if `data` is itself a part.

    Raises:
        ConfigError: there is no such file or folder.
    """
    return [manifest.part_name(data)] if data.is_file() else list(_all_parts(data, columns))


def place_of(data: Path, part: str | None, columns: Columns) -> PlacedPart:
    """Return where a part of the data is; None is the only part, or the data themselves.

    Raises:
        ConfigError: there is no such part, or several parts match.
    """
    if data.is_file():
        if part is not None and part not in (data.stem, manifest.part_name(data)):
            raise ConfigError(
                f"{str(data)!r} is a manifest, not the part {part!r}; give the folder that contains both"
            )
        return PlacedPart(data, data.parent)
    if part is not None:
        for root in _roots(data):
            for name in (part, *(part + ending for ending in manifest.ENDINGS)):
                if (root / name).exists():
                    return PlacedPart(root / name, data)
    parts = _all_parts(data, columns)
    if not parts and part in (None, data.name) and is_part(data, columns):
        return PlacedPart(data, data)
    if part is None and len(parts) == 1:
        return PlacedPart(next(iter(parts.values())), data)
    if part is not None:
        hint = (
            did_you_mean(part, parts) or f"; it has {', '.join(parts)}"
            if parts
            else f"; looked for {LOOKED_FOR}"
        )
        raise ConfigError(f"{str(data)!r} has no part {part!r}{hint}")
    if parts:
        raise ConfigError(f"{str(data)!r} has several parts, {', '.join(parts)}; choose one")
    raise _nothing_in(data, columns)


def _nothing_in(data: Path, columns: Columns) -> ConfigError:
    """Return the error that a folder has no speech data, with the reason if it has one table that cannot be used."""
    tables = [path for path in sorted(data.glob("*.[ct]sv")) if not is_hidden(path.name)]
    if len(tables) == 1:
        try:
            list(manifest.utterances(tables[0], data, columns, Problems(where=str(tables[0]))))
        except ConfigError as error:
            return error
    return ConfigError(f"{str(data)!r} contains no speech data in a known form; looked for {LOOKED_FOR}")


def _all_parts(data: Path, columns: Columns) -> dict[str, Path]:
    if not data.is_dir():
        raise ConfigError(f"there is no folder or manifest {str(data)!r}; give {LOOKED_FOR}")
    return {
        name: place for root in _roots(data) if root.is_dir() for name, place in _parts(root, columns).items()
    }


def _roots(data: Path) -> list[Path]:
    # An archive of LibriSpeech unpacks into a folder with this name.
    return [data, data / "LibriSpeech"]


def _parts(root: Path, columns: Columns) -> dict[str, Path]:
    """Return the parts in a folder by name; none if the folder is itself a part."""
    if kaldi.is_part(root):
        return {}
    folders = {
        name: root / name for name in list_folder(root).folders if is_part(root / name, columns, name=name)
    }
    manifests = manifest.manifests_in(root, columns)
    if not manifests and _folder_form(root) and not any(map(_has_purpose, folders)):
        return {}
    return dict(sorted(folders.items())) | manifests


def is_part(folder: Path, columns: Columns, *, name: str = "") -> bool:
    """Return whether a folder is itself a part of speech data.

    Args:
        folder: The folder.
        columns: The columns that the user names.
        name: The name of the part, if the folder is one of several.
    """
    form = _folder_form(folder)
    if form is None:
        return manifest.manifest_of(folder, columns) is not None
    # Folders of recordings with texts beside them may be those of speakers or days.
    return form is not paired or not name or _has_purpose(name)


def _folder_form(folder: Path) -> ModuleType | None:
    """Return the reader of a folder whose form needs no manifest."""
    return next((form for form in (kaldi, librispeech, paired) if form.is_part(folder)), None)


def _has_purpose(name: str) -> bool:
    return name.lower().startswith(PURPOSES)
