"""WordPiece from a plain ``vocab.txt``, as BERT's (Devlin et al. 2018, arXiv:1810.04805)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from denas_core.errors import ConfigError, safe_repr

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PAD, UNKNOWN, START, END, HIDDEN = "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"
NEEDED = (PAD, UNKNOWN, START, END)

LONGEST_WORD = 100
"""Characters of a word above which it is unknown, as in BERT."""


def read_vocabulary(path: Path, content: bytes) -> list[str]:
    """Return the tokens of a ``vocab.txt``, one a line.

    Args:
        path: Where it comes from, for errors.
        content: What the file holds.

    Raises:
        ConfigError: naming the line that is no token, or the token that BERT's need.
    """
    name = str(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{name!r} is no vocabulary: it is not UTF-8 ({error.reason})") from error
    # Not splitlines(): a token may be a rare separator of lines itself.
    tokens = [line.removesuffix("\r") for line in text.rstrip("\r\n").split("\n")]
    lines: dict[str, int] = {}
    for number, token in enumerate(tokens, start=1):
        if not token:
            raise ConfigError(f"{name!r} is no vocabulary: line {number} is empty, where a token belongs")
        if token in lines:
            raise ConfigError(
                f"{name!r} is no vocabulary: {safe_repr(token)} is in line {lines[token]} and again in line {number}"
            )
        lines[token] = number
    missing = [token for token in NEEDED if token not in lines]
    if missing:
        raise ConfigError(
            f"{name!r} is no vocabulary of BERT: it lacks {', '.join(missing)}; give its vocab.txt, or the "
            "tokenizer.json of another model"
        )
    return tokens


def is_lower_case(tokens: Sequence[str]) -> bool:
    """Tell whether no token has an upper-case letter, those in brackets aside: texts must then be made lower-case."""
    return all(token == token.lower() for token in tokens if not (token[0] == "[" and token[-1] == "]"))


def word_piece_tokenizer(tokens: Sequence[str], *, lower_case: bool) -> Tokenizer:
    """Return BERT's tokenizer: normalised, split at spaces and punctuation, then the longest pieces first.

    Args:
        tokens: The vocabulary, as `read_vocabulary` returns it.
        lower_case: Whether texts are made lower-case and lose their accents.
    """
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    numbers = {token: number for number, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.WordPiece(numbers, unk_token=UNKNOWN, max_input_chars_per_word=LONGEST_WORD))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lower_case)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_special_tokens([token for token in (*NEEDED, HIDDEN) if token in numbers])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{START}:0 $A:0 {END}:0",
        pair=f"{START}:0 $A:0 {END}:0 $B:1 {END}:1",
        special_tokens=[(START, numbers[START]), (END, numbers[END])],
    )
    return tokenizer
