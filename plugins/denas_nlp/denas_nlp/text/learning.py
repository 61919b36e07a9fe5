"""Learn a WordPiece vocabulary from texts, for networks that no checkpoint gives a vocabulary."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from denas_core.errors import ConfigError

from .joining import Joining
from .word_pieces import HIDDEN, LONGEST_WORD, NEEDED, normalizer_and_splitter

LEARNT = "wordpiece"
"""The name of a learnt vocabulary of words and their parts in the option ``task.vocab``."""

BYTE_PAIRS = "bpe"
"""The name of a learnt vocabulary of bytes and their pairs, which keeps every character of a text."""

BYTES = "bytes"
"""The name of the vocabulary of single bytes."""

CONTINUED = "##"
"""The mark of a token that continues a word."""

_CHOICE = re.compile(rf"({LEARNT}|{BYTE_PAIRS})(?::(\d{{1,7}}))?|{BYTES}")


def is_learnt(vocab: str) -> bool:
    """Return whether the option ``task.vocab`` asks for a learnt vocabulary, not for a file."""
    return _CHOICE.fullmatch(vocab) is not None


def is_of_bytes(vocab: str) -> bool:
    """Return whether the option ``task.vocab`` asks for bytes, or for pairs of bytes."""
    return is_learnt(vocab) and not vocab.startswith(LEARNT)


def size_of(vocab: str, *, rows: int | None) -> int:
    """Return the number of tokens that the option ``task.vocab`` asks for; by default as many as the networks know.

    Raises:
        ConfigError: neither the option nor the networks give a number.
    """
    choice = _CHOICE.fullmatch(vocab)
    number = choice[2] if choice else None
    if number is None and rows is None:
        name = choice[1] if choice else LEARNT
        raise ConfigError(
            f"the networks do not say how many tokens they know; name a number, such as {name}:8192"
        )
    return int(number) if number is not None else rows or 0


def learnt_vocabulary(vocab: str, texts: Iterable[str], *, rows: int | None, lower_case: bool) -> list[str]:
    """Return the tokens that the option ``task.vocab`` asks for: ``wordpiece:N``, or ``wordpiece`` for all rows.

    Args:
        vocab: The value of the option.
        texts: The training texts.
        rows: Number of rows of the networks' token table; None if it is not known.
        lower_case: Whether to convert texts to lower case and to remove accents.

    Raises:
        ConfigError: the number of tokens is missing or too small, or the texts have no words.
    """
    size = size_of(vocab, rows=rows)
    special = [*NEEDED, HIDDEN]
    if size <= len(special):
        raise ConfigError(
            f"vocab {LEARNT}:{size} has no room for words; name more than {len(special)} tokens, such as {LEARNT}:8192"
        )
    words = Counter(_words(texts, lower_case=lower_case))
    if not words:
        raise ConfigError("the training texts have no words, so no vocabulary can be learnt from them")
    return [*special, *learn_word_pieces(words, size - len(special))]


def learn_word_pieces(words: Mapping[str, int], size: int) -> list[str]:
    """Return at most `size` tokens: the characters of the words, then pairs of tokens, the most frequent first.

    Joining the most frequent pair again and again is byte-pair encoding (Sennrich et al. 2016, arXiv:1508.07909). The
    result depends only on the words and their counts; of equally frequent pairs, the first in the alphabet is joined.

    Args:
        words: The words and how often each occurs.
        size: Greatest number of tokens. If the words have more characters, the rarest ones are left out.
    """
    splits = {word: [word[0], *(CONTINUED + letter for letter in word[1:])] for word in words}
    letters: Counter[str] = Counter()
    for word, parts in splits.items():
        for part in parts:
            letters[part] += words[word]
    tokens = dict.fromkeys(sorted(letters, key=lambda letter: (-letters[letter], letter))[:size])
    joining = Joining(words, splits, continued=CONTINUED)
    while len(tokens) < size and (pair := joining.most_frequent()) is not None:
        # Two different pairs can give the same token.
        tokens[joining.join(pair)] = None
    return list(tokens)


def _words(texts: Iterable[str], *, lower_case: bool) -> Iterator[str]:
    normalizer, splitter = normalizer_and_splitter(lower_case=lower_case)
    for text in texts:
        for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(text)):
            if len(word) <= LONGEST_WORD:
                yield word
