"""The tokenizer of a checkpoint as the text of a ``tokenizer.json``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from denas_core.system.atomic import storage_errors


def tokenizer_json(path: Path) -> str:
    """Return the text of a ``tokenizer.json``, or one for the word pieces in a ``vocab.txt``.

    Raises:
        StorageError: the file cannot be read.
    """
    with storage_errors(path):
        text = path.read_text(encoding="utf-8")
    return text if path.suffix == ".json" else _word_pieces(text)


def _word_pieces(vocabulary: str) -> str:
    from tokenizers import BertWordPieceTokenizer

    tokens = {token: place for place, token in enumerate(vocabulary.splitlines())}
    # A vocabulary without upper-case letters, except in special tokens, is for lower-case texts.
    lower = not any(token != token.lower() for token in tokens if not token.startswith("["))
    made: Any = BertWordPieceTokenizer(tokens, lowercase=lower)
    return str(made._tokenizer.to_str())
