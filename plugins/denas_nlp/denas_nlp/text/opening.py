"""Find a tokenizer: of a trained network, given by the user, of a space's checkpoint, beside the data, or learnt."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from denas_core import SearchSpace
from denas_core.errors import ConfigError

from .byte_pairs import byte_pair_tokenizer
from .form import reach_of
from .learning import BYTE_PAIRS, LEARNT, is_learnt, is_of_bytes, learnt_vocabulary
from .tokenizer import TextTokenizer
from .word_pieces import is_lower_case, read_vocabulary, word_piece_tokenizer

FACT = "tokenizer"
"""Name of the tokenizer in the facts of a task and in the assets of a space."""

NAMES = ("tokenizer.json", "vocab.txt")


def open_tokenizer(
    space: SearchSpace,
    data: Path,
    *,
    vocab: str = "",
    lower_case: bool | None = None,
    facts: Mapping[str, Any] | None = None,
    texts: Callable[[], Iterable[str]] = tuple,
    adds_end: bool = True,
) -> TextTokenizer:
    """Return the first available tokenizer: of a trained network, given by the user, of the space, or of the data.

    The user can also ask for a vocabulary that is learnt from the training texts.

    Args:
        space: The space whose networks take the tokens.
        data: The data set; its folder may contain a vocabulary.
        vocab: A ``vocab.txt``, a ``tokenizer.json``, or a folder with one of them; to learn one, ``wordpiece``,
            ``bpe``, or one of them with a number such as ``bpe:4096``, or ``bytes``.
        lower_case: Whether to convert texts to lower case. None decides by the tokens of a ``vocab.txt``, and converts
            them if the vocabulary is learnt.
        facts: The facts of a trained network.
        texts: A function that returns the training texts; it is called only if a vocabulary is learnt.
        adds_end: Whether a learnt tokenizer of bytes puts the end token after each text.

    Raises:
        ConfigError: there is no tokenizer, it cannot be read, or it cannot be learnt.
    """
    if facts is not None:
        return TextTokenizer(facts[FACT], origin="the tokenizer of the trained model")
    if is_of_bytes(vocab):
        if lower_case:
            raise ConfigError(f"vocab {vocab} keeps every letter as it is; leave out task.lower_case")
        json = byte_pair_tokenizer(vocab, texts(), rows=reach_of(space).tokens, adds_end=adds_end)
        return TextTokenizer(json, origin="the vocabulary of the training texts")
    if is_learnt(vocab):
        lower_case = lower_case is not False
        tokens = learnt_vocabulary(vocab, texts(), rows=reach_of(space).tokens, lower_case=lower_case)
        json = str(word_piece_tokenizer(tokens, lower_case=lower_case).to_str())
        return TextTokenizer(json, origin="the vocabulary of the training texts")
    path = Path(vocab) if vocab else space.assets().get(FACT)
    if path is None:
        folder = data if data.is_dir() else data.parent
        path = _in(folder)
    if path is None:
        raise ConfigError(
            f"nothing says which tokens the texts of {str(data)!r} have for {space.id!r}; name a vocabulary with "
            f"--vocab vocab.txt (option task.vocab), or learn one from the texts with --vocab {LEARNT} or --vocab "
            f"{BYTE_PAIRS}"
        )
    found = _in(path) if path.is_dir() else path
    if found is None:
        raise ConfigError(f"{str(path)!r} holds neither {' nor '.join(NAMES)}; name the file")
    return TextTokenizer(tokenizer_json(found, lower_case=lower_case), origin=repr(str(found)))


def tokenizer_json(path: Path, *, lower_case: bool | None = None) -> str:
    """Return the contents of a ``tokenizer.json``, or make one for WordPiece from a ``vocab.txt``.

    Raises:
        ConfigError: the file cannot be read, or is neither of them.
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
        raise ConfigError(f"{str(path)!r} defines lower-casing itself; leave out task.lower_case")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{str(path)!r} is not a tokenizer: it is not UTF-8 ({error.reason})") from error


def _in(folder: Path) -> Path | None:
    return next((folder / name for name in NAMES if (folder / name).is_file()), None)
