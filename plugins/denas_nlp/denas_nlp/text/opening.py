"""Where a tokenizer comes from: a trained network, the user, the checkpoint of a space, or the data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from denas_core import SearchSpace
from denas_core.errors import ConfigError

from .tokenizer import TextTokenizer
from .word_pieces import is_lower_case, read_vocabulary, word_piece_tokenizer

FACT = "tokenizer"
"""Name of the tokenizer in the facts of a task, and in the assets of a space."""

NAMES = ("tokenizer.json", "vocab.txt")


def open_tokenizer(
    space: SearchSpace,
    data: Path,
    *,
    vocab: str = "",
    lower_case: bool | None = None,
    facts: Mapping[str, Any] | None = None,
) -> TextTokenizer:
    """Return the tokenizer of a trained network, else the one that is named, else that of the space, else of the data.

    Args:
        space: The space whose networks see the tokens.
        data: The data set, in whose folder a vocabulary may lie.
        vocab: A ``vocab.txt``, a ``tokenizer.json``, or a folder with one of them.
        lower_case: Whether texts become lower-case, for a ``vocab.txt``; None for what its tokens say.
        facts: Those of a trained network.

    Raises:
        ConfigError: there is none, or it cannot be read.
    """
    if facts is not None:
        return TextTokenizer(facts[FACT], origin="the tokenizer of the trained model")
    path = Path(vocab) if vocab else space.assets().get(FACT)
    if path is None:
        folder = data if data.is_dir() else data.parent
        path = _in(folder)
    if path is None:
        raise ConfigError(
            f"nothing says which tokens the texts of {str(data)!r} have for {space.id!r}; name a vocabulary with "
            "--vocab vocab.txt (option task.vocab)"
        )
    found = _in(path) if path.is_dir() else path
    if found is None:
        raise ConfigError(f"{str(path)!r} holds neither {' nor '.join(NAMES)}; name the file")
    return TextTokenizer(tokenizer_json(found, lower_case=lower_case), origin=repr(str(found)))


def tokenizer_json(path: Path, *, lower_case: bool | None = None) -> str:
    """Return the ``tokenizer.json`` in a file, or the one of WordPiece over the ``vocab.txt`` in it.

    Raises:
        ConfigError: it cannot be read, or is neither.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"vocabulary {str(path)!r} cannot be read: {error.strerror or error}; name a vocab.txt or "
            "tokenizer.json with --vocab"
        ) from error
    if path.suffix != ".json":
        tokens = read_vocabulary(path, content)
        lower_case = is_lower_case(tokens) if lower_case is None else lower_case
        return str(word_piece_tokenizer(tokens, lower_case=lower_case).to_str())
    if lower_case is not None:
        raise ConfigError(f"{str(path)!r} says itself what becomes lower-case; leave out task.lower_case")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{str(path)!r} is no tokenizer: it is not UTF-8 ({error.reason})") from error


def _in(folder: Path) -> Path | None:
    return next((folder / name for name in NAMES if (folder / name).is_file()), None)
