"""Read manifests of the original DE-NAS: tables with the columns ID, duration, wav, spk_id and wrd."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from denas_core.errors import ConfigError

from .problems import Problems
from .utterance import Found

TEXTS = ("wrd", "transcript")
"""Names of the transcript column: the one that the original reads, and the one that its data preparation wrote."""

_PLACEHOLDER = re.compile(r"^(?:\$\w+|\$?\{\w+\})[/\\]")
"""A placeholder for the data folder at the beginning of a path, such as ``$data_root/``."""


def utterances(path: Path, data: Path, problems: Problems) -> Iterator[Found]:
    """Yield the utterances of a manifest in its order; faulty rows are added to `problems`.

    Args:
        path: The manifest.
        data: The data folder, which replaces placeholders and to which relative paths refer.
        problems: Collects the faults.

    Raises:
        ConfigError: the manifest is not a table, or lacks a column.
    """
    # A path may begin with the name of the data folder itself, as in `$data_root/LibriSpeech/...`.
    roots = list(dict.fromkeys(root for folder in (data, path.parent) for root in (folder, folder.parent)))
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            text = _text_column(rows.fieldnames or (), path)
            for row in rows:
                if None in row or None in row.values():
                    problems.add(
                        "damaged transcript",
                        f"line {rows.line_num} of {path.name} has too many or too few cells",
                    )
                    continue
                audio = _found(row["wav"].strip(), roots)
                if audio is None:
                    problems.add("missing audio", f"{row['ID']}: {row['wav']!r}")
                else:
                    yield Found(row["ID"].strip(), audio, row[text], (row.get("spk_id") or "").strip())
    except OSError as error:
        raise ConfigError(f"manifest {str(path)!r} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(
            f"manifest {str(path)!r} is not a table in UTF-8: {error}; create it again"
        ) from error


def _text_column(columns: Sequence[str], path: Path) -> str:
    texts = [column for column in TEXTS if column in columns]
    missing = [column for column in ("ID", "wav") if column not in columns] + ([] if texts else ["wrd"])
    if missing:
        raise ConfigError(
            f"manifest {str(path)!r} lacks the column {', '.join(map(repr, missing))}; its first line is "
            f"{','.join(columns)[:200]!r}, but must be like ID,duration,wav,spk_id,wrd"
        )
    return texts[0]


def _found(written: str, roots: Sequence[Path]) -> Path | None:
    rest = _PLACEHOLDER.sub("", written)
    # For a name that is too long, os.path.isfile returns False where Path.is_file raises.
    return next((root / rest for root in roots if rest and os.path.isfile(root / rest)), None)  # noqa: PTH113
