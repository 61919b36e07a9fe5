"""Make a WordPiece tokenizer from a ``vocab.txt``, as in BERT (Devlin et al. 2018, arXiv:1810.04805)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from denas_core.errors import ConfigError, safe_repr

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from tokenizers.normalizers import Normalizer
    from tokenizers.pre_tokenizers import PreTokenizer

PAD, UNKNOWN, START, END, HIDDEN = "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"
NEEDED = (PAD, UNKNOWN, START, END)

LONGEST_WORD = 100
"""As in BERT, longer words (in characters) become the unknown token."""


def read_vocabulary(path: Path, content: bytes) -> list[str]:
    """Return the tokens of a ``vocab.txt``, which has one token on each line.

    Args:
        path: The file, for errors.
        content: The contents of the file.

    Raises:
        ConfigError: a line is not a token, or a required token is missing; the text names it.
    """
    name = str(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{name!r} is not a vocabulary: it is not UTF-8 ({error.reason})") from error
    # splitlines() is not used because a token may itself be a rare line separator.
    tokens = [line.removesuffix("\r") for line in text.rstrip("\r\n").split("\n")]
    lines: dict[str, int] = {}
    for number, token in enumerate(tokens, start=1):
        if not token:
            raise ConfigError(
                f"{name!r} is not a vocabulary: line {number} is empty, but every line must have a token"
            )
        if token in lines:
            raise ConfigError(
                f"{name!r} is not a vocabulary: {safe_repr(token)} is in line {lines[token]} and again in line {number}"
            )
        lines[token] = number
    missing = [token for token in NEEDED if token not in lines]
    if missing:
        raise ConfigError(
            f"{name!r} is not a vocabulary of BERT: it lacks {', '.join(missing)}; give its vocab.txt, or the "
            "tokenizer.json of another model"
        )
    return tokens


def is_lower_case(tokens: Sequence[str]) -> bool:
    """Return whether no token, except those in brackets, has an upper-case letter; texts must then be lower-case."""
    return all(token == token.lower() for token in tokens if not (token[0] == "[" and token[-1] == "]"))


def word_piece_tokenizer(tokens: Sequence[str], *, lower_case: bool) -> Tokenizer:
    """Return BERT's tokenizer, which normalises, splits at spaces and punctuation, and takes the longest pieces first.

    Args:
        tokens: The vocabulary from `read_vocabulary`.
        lower_case: Whether to convert texts to lower case and to remove accents.
    """
    from tokenizers import Tokenizer, decoders, models, processors

    numbers = {token: number for number, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.WordPiece(numbers, unk_token=UNKNOWN, max_input_chars_per_word=LONGEST_WORD))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer_and_splitter(lower_case=lower_case)
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_special_tokens([token for token in (*NEEDED, HIDDEN) if token in numbers])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{START}:0 $A:0 {END}:0",
        pair=f"{START}:0 $A:0 {END}:0 $B:1 {END}:1",
        special_tokens=[(START, numbers[START]), (END, numbers[END])],
    )
    return tokenizer


def normalizer_and_splitter(*, lower_case: bool) -> tuple[Normalizer, PreTokenizer]:
    """Return what normalises a text and what splits it at spaces and punctuation, as in BERT."""
    from tokenizers import normalizers, pre_tokenizers

    return normalizers.BertNormalizer(lowercase=lower_case), pre_tokenizers.BertPreTokenizer()
