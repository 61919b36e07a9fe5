"""Describe texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from denas_core import DataDescription
from denas_core.errors import ConfigError
from denas_nlp.tables.read import read_records
from denas_nlp.text.describing import MOST_BYTES, language_facts, vocabulary_options
from denas_nlp.text.learning import BYTE_PAIRS

from .documents import read_documents, text_column
from .finding import FILES, TABLES, TEXTS, found_texts

SPACES = ("hf/auto:gpt-micro",)
"""Spaces whose networks learn from a few megabytes of text without a checkpoint."""

_MEDIA = frozenset(
    (
        *(".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".aiff", ".caf", ".sph"),
        *(".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".npz", ".npy"),
    )
)


def described(data: Path, *, column: str, vocab: str) -> DataDescription | None:
    """Return how much text there is at `data`; None if there is none, or if it has other columns, such as labels.

    Args:
        data: A text file, a table or a folder.
        column: The column of texts that the user has named.
        vocab: The vocabulary that the user has named.

    Raises:
        ConfigError: there are texts, and they cannot be read.
    """
    if not _is_of_texts(data):
        return None
    try:
        found = found_texts(data, to_evaluate=False)
    except ConfigError:
        return None
    parts = {"train": found.train, "valid": found.valid, "test": found.test}
    if not found.train or not _has_only_texts(found.train[0], column):
        return None
    documents: dict[str, list[str]] = {}
    notices: dict[str, None] = dict.fromkeys(found.notices)
    read, size = 0, 0
    for part, files in parts.items():
        for path in files:
            size += path.stat().st_size if path.is_file() else 0
            if read > MOST_BYTES:
                continue
            texts, said = read_documents(path, column=column)
            read += sum(map(len, texts))
            documents[part] = [*documents.get(part, ()), *texts]
            notices.update(dict.fromkeys(said))
    learnt = documents.get("train", [])
    if not learnt:
        return None
    if read > MOST_BYTES:
        notices[f"only the first {read / 1e6:.0f} MB of the texts were looked at"] = None
    return DataDescription(
        format="plain texts",
        samples={part: len(texts) for part, texts in documents.items()},
        facts={
            "size": f"{size / 1e6:.3g} MB",
            "words": sum(len(text.split()) for text in learnt),
            **language_facts([text[:10_000] for text in learnt[:100]]),
        },
        exact=False,
        task_options=_options(data, column, vocab),
        spaces=SPACES,
        notices=tuple(notices),
    )


def _is_of_texts(data: Path) -> bool:
    """Return whether there are texts, and not recordings or pictures with texts beside them."""
    if not data.is_dir():
        return FILES.suffix_of(data) in (*TEXTS, *TABLES)
    kinds = [each.suffix.lower() for each in data.rglob("*") if each.is_file()]
    texts = sum(kind in TEXTS or kind in TABLES for kind in kinds)
    return texts > 0 and not any(kind in _MEDIA for kind in kinds)


def _has_only_texts(path: Path, column: str) -> bool:
    if not path.is_dir() and FILES.suffix_of(path) not in TABLES:
        return True
    try:
        records = read_records(path, most=MOST_BYTES)
        text_column(records, column)
    except ConfigError:
        return False
    return bool(column) or len(records.columns) == 1


def _options(data: Path, column: str, vocab: str) -> dict[str, Any]:
    return {
        **vocabulary_options(data, vocab, learnt=BYTE_PAIRS),
        **({"text": column} if column else {}),
    }
