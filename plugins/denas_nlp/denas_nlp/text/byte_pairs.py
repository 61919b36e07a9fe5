"""Make a tokenizer of bytes and pairs of bytes, as in GPT-2, which keeps every character of a text.

A text is divided before each word; a word is the bytes of its letters and of the space before it. The most frequent
pairs of neighbours in words become tokens (Sennrich et al. 2016, arXiv:1508.07909).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from denas_core.errors import ConfigError

from .joining import Joining
from .learning import BYTE_PAIRS, BYTES, size_of

PAD, END = "<pad>", "</s>"
SPECIAL = (PAD, END)

SMALLEST = len(SPECIAL) + 256
"""Number of tokens of a vocabulary of single bytes."""


def byte_pair_tokenizer(vocab: str, texts: Iterable[str], *, rows: int | None, adds_end: bool) -> str:
    """Return the ``tokenizer.json`` that the option ``task.vocab`` asks for: ``bpe:N``, ``bpe`` or ``bytes``.

    Args:
        vocab: The value of the option.
        texts: The training texts.
        rows: Number of rows of the networks' token table; None if it is not known.
        adds_end: Whether the tokenizer puts the end token after each text.

    Raises:
        ConfigError: the number of tokens is missing or smaller than that of bytes, or there is no text.
    """
    size = SMALLEST if vocab == BYTES else size_of(vocab, rows=rows)
    if size < SMALLEST:
        raise ConfigError(
            f"vocab {BYTE_PAIRS}:{size} has no room for the 256 bytes; name {SMALLEST} tokens or more, such as "
            f"{BYTE_PAIRS}:4096, for networks that know as many"
        )
    words = Counter(_words(texts))
    if not words:
        raise ConfigError("the training texts are empty, so no vocabulary can be learnt from them")
    return _tokenizer_json(learn_byte_pairs(words, size - SMALLEST), adds_end=adds_end)


def learn_byte_pairs(words: Mapping[str, int], count: int) -> list[tuple[str, str]]:
    """Return at most `count` pairs of tokens that are joined, in the order in which a tokenizer joins them.

    The result depends only on the words and their counts; of equally frequent pairs, the first in the alphabet is
    joined.

    Args:
        words: The words, with a character for each byte, and how often each occurs.
        count: Greatest number of pairs.
    """
    joining = Joining(words, {word: list(word) for word in words})
    known: set[str] = set()
    pairs: list[tuple[str, str]] = []
    while len(known) < count and (pair := joining.most_frequent()) is not None:
        # Two different pairs can give the same token.
        known.add(joining.join(pair))
        pairs.append(pair)
    return pairs


def _tokenizer_json(pairs: list[tuple[str, str]], *, adds_end: bool) -> str:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = dict.fromkeys([*SPECIAL, *alphabet, *(first + second for first, second in pairs)])
    numbers = {token: number for number, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(numbers, pairs))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(SPECIAL))
    if adds_end:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"$A {END}", pair=f"$A {END} $B {END}", special_tokens=[(END, numbers[END])]
        )
    return str(tokenizer.to_str())


def _words(texts: Iterable[str]) -> Iterable[str]:
    from tokenizers import pre_tokenizers

    splitter = pre_tokenizers.ByteLevel(add_prefix_space=False)
    for text in texts:
        yield from (word for word, _ in splitter.pre_tokenize_str(text))
