"""Read Parquet by pyarrow, which an extra installs."""

from __future__ import annotations

import importlib
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from denas_core.errors import ConfigError, NotInstalled, describe_error

from .records import Record, Records


def read_parquet(path: Path, content: bytes) -> Records:
    """Return the rows of a file of Parquet.

    Raises:
        ConfigError: the file is damaged.
        NotInstalled: pyarrow is missing.
    """
    try:
        # Not by an import statement, because type checkers refuse libraries that are not installed.
        parquet: Any = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise NotInstalled(
            f"{str(path)!r} is Parquet, which pyarrow reads: pip install 'denas-nlp[parquet]'"
        ) from error
    try:
        table = parquet.read_table(io.BytesIO(content))
        rows = table.to_pylist()
    except Exception as error:
        raise ConfigError(
            f"{str(path)!r} is damaged Parquet ({describe_error(error)}); download it again"
        ) from error
    return Records(
        path=path,
        format="Parquet",
        columns=tuple(table.column_names),
        rows=[Record(f"row {number}", row) for number, row in enumerate(rows, start=1)],
        names=_class_names(table.schema.metadata or {}),
    )


def _class_names(metadata: Mapping[bytes, bytes]) -> dict[str, Sequence[str]]:
    """Return the names of classes, which the library datasets writes into the metadata of a file."""
    try:
        features: Any = json.loads(metadata[b"huggingface"])["info"]["features"]
        # Lists of classes, such as the tags of a sentence, have the names inside.
        inner = {
            column: feature.get("feature", feature) if isinstance(feature, dict) else feature
            for column, feature in features.items()
        }
        return {
            column: list(feature["names"])
            for column, feature in inner.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
        }
    except (KeyError, ValueError, TypeError, AttributeError):
        return {}
