"""Manifests as the original DE-NAS has them: tables with the columns ID, duration, wav, spk_id and wrd."""

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
"""Columns of what is said: the one that the original reads, and the one that its own preparation wrote."""

_PLACEHOLDER = re.compile(r"^(?:\$\w+|\$?\{\w+\})[/\\]")
"""What stands for the folder of the data, such as ``$data_root/``."""


def utterances(path: Path, data: Path, problems: Problems) -> Iterator[Found]:
    """Yield the utterances of a manifest, in its order; what is wrong with rows is added to `problems`.

    Args:
        path: The manifest.
        data: The folder of the data, which placeholders stand for, and where relative paths begin.
        problems: The account.

    Raises:
        ConfigError: it is no table, or lacks a column.
    """
    # A path may begin with the name of the folder itself, as in `$data_root/LibriSpeech/...`.
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
        raise ConfigError(f"manifest {str(path)!r} is no table in UTF-8: {error}; write it again") from error


def _text_column(columns: Sequence[str], path: Path) -> str:
    texts = [column for column in TEXTS if column in columns]
    missing = [column for column in ("ID", "wav") if column not in columns] + ([] if texts else ["wrd"])
    if missing:
        raise ConfigError(
            f"manifest {str(path)!r} lacks the column {', '.join(map(repr, missing))}; its first line is "
            f"{','.join(columns)[:200]!r}, where ID,duration,wav,spk_id,wrd belongs"
        )
    return texts[0]


def _found(written: str, roots: Sequence[Path]) -> Path | None:
    rest = _PLACEHOLDER.sub("", written)
    # Unlike a Path, this calls a name that is too long no file, and raises nothing.
    return next((root / rest for root in roots if rest and os.path.isfile(root / rest)), None)  # noqa: PTH113
