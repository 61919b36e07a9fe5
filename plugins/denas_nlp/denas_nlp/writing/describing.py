"""Describe pairs of texts."""

from __future__ import annotations

from pathlib import Path

from denas_core import DataDescription
from denas_core.errors import ConfigError
from denas_nlp.tables.read import read_records
from denas_nlp.text.describing import (
    MOST_BYTES,
    language_facts,
    length_facts,
    token_length,
    vocabulary_options,
)
from denas_nlp.text.files import found_files
from denas_nlp.text.learning import BYTE_PAIRS

from .pairs import FILES, Pair, PairReader, parallel_files, read_lines_of

SPACES = ("hf/auto:t5-micro",)
"""Spaces whose networks learn from some ten thousand pairs without a checkpoint."""


def described(reader: PairReader, data: Path, *, vocab: str) -> DataDescription | None:
    """Return how many pairs there are at `data`; None if there are none.

    Args:
        reader: What the user says about the columns.
        data: A table, or a folder.
        vocab: The vocabulary that the user has named.
    """
    parts: dict[str, list[Pair]] = {}
    notices: dict[str, None] = {}
    try:
        for part, files in parallel_files(data, reader.source, reader.target).items():
            parts[part], said = read_lines_of(*files)
            notices.update(dict.fromkeys(said))
        form = "two files with a text in each line"
        if not parts:
            if not data.is_dir() and not FILES.suffix_of(data):
                return None
            found = found_files(data, FILES, to_evaluate=False)
            for part, paths in (("train", found.train), ("valid", found.valid), ("test", found.test)):
                for path in paths:
                    # The columns of a large table are known before all of it is read.
                    reader.columns(read_records(path, most=MOST_BYTES))
                    more, said = reader.read_table(path)
                    parts[part] = [*parts.get(part, ()), *more]
                    notices.update(dict.fromkeys(said))
            form = "pairs of texts to read and to write"
    except ConfigError:
        return None
    if not parts.get("train"):
        return None
    sources, targets = zip(*parts["train"], strict=True)
    written = length_facts(targets)
    length = token_length(sources)
    return DataDescription(
        format=form,
        samples={part: len(pairs) for part, pairs in parts.items()},
        facts={
            "read": length_facts(sources).get("words", ""),
            "written": written.get("words", ""),
            **language_facts([*sources[:1000], *targets[:1000]]),
        },
        task_options=vocabulary_options(data, vocab, learnt=BYTE_PAIRS),
        space_options={"seq_len": length},
        spaces=SPACES,
        notices=tuple(notices),
    )
