"""Learn a WordPiece vocabulary from texts, for networks that no checkpoint gives a vocabulary.

The trainer of the library tokenizers is not used: its result differs from process to process, and it starts threads, so
that it warns when the process forks later.
"""

from __future__ import annotations

import heapq
import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from denas_core.errors import ConfigError

from .word_pieces import HIDDEN, LONGEST_WORD, NEEDED, normalizer_and_splitter

LEARNT = "wordpiece"
"""The name of a learnt vocabulary in the option ``task.vocab``."""

CONTINUED = "##"
"""The mark of a token that continues a word."""

_CHOICE = re.compile(rf"{LEARNT}(?::(\d{{1,7}}))?")
_LEAST_COUNT = 2
"""A pair that occurs once would become a token with a single example."""

Pair = tuple[str, str]


def is_learnt(vocab: str) -> bool:
    """Return whether the option ``task.vocab`` asks for a learnt vocabulary, not for a file."""
    return _CHOICE.fullmatch(vocab) is not None


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
    choice = _CHOICE.fullmatch(vocab)
    number = choice[1] if choice else None
    if number is None and rows is None:
        raise ConfigError(
            f"the networks do not say how many tokens they know; name a number, such as {LEARNT}:8192"
        )
    size = int(number) if number is not None else rows or 0
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
    joining = _Joining(words, splits)
    while len(tokens) < size and (pair := joining.most_frequent()) is not None:
        # Two different pairs can give the same token.
        tokens[joining.join(pair)] = None
    return list(tokens)


class _Joining:
    """Words as lists of tokens, and how often each pair of neighbours occurs in them."""

    def __init__(self, words: Mapping[str, int], splits: dict[str, list[str]]) -> None:
        self._words, self._splits = words, splits
        self._counts: Counter[Pair] = Counter()
        self._where: defaultdict[Pair, set[str]] = defaultdict(set)
        for word in splits:
            self._count(word, words[word])
        self._heap = [(-count, pair) for pair, count in self._counts.items()]
        heapq.heapify(self._heap)

    def most_frequent(self) -> Pair | None:
        """Return the most frequent pair, or None if no pair occurs at least twice."""
        while self._heap:
            negative, pair = self._heap[0]
            if self._counts[pair] == -negative:
                return pair if -negative >= _LEAST_COUNT else None
            # The count has changed since this entry was made, and a newer entry exists.
            heapq.heappop(self._heap)
        return None

    def join(self, pair: Pair) -> str:
        """Join a pair in all words, and return the token that it becomes."""
        token = pair[0] + pair[1].removeprefix(CONTINUED)
        changed: set[Pair] = set()
        for word in tuple(self._where[pair]):
            count = self._words[word]
            changed.update(self._count(word, -count))
            self._splits[word] = _joined(self._splits[word], pair, token)
            changed.update(self._count(word, count))
        for each in changed:
            if self._counts[each]:
                heapq.heappush(self._heap, (-self._counts[each], each))
        return token

    def _count(self, word: str, count: int) -> list[Pair]:
        parts = self._splits[word]
        pairs = list(itertools.pairwise(parts))
        for pair in pairs:
            self._counts[pair] += count
            if count > 0:
                self._where[pair].add(word)
            else:
                self._where[pair].discard(word)
        return pairs


def _joined(parts: Sequence[str], pair: Pair, token: str) -> list[str]:
    found: list[str] = []
    place = 0
    while place < len(parts):
        if (parts[place], parts[place + 1] if place + 1 < len(parts) else "") == pair:
            found.append(token)
            place += 2
        else:
            found.append(parts[place])
            place += 1
    return found


def _words(texts: Iterable[str], *, lower_case: bool) -> Iterator[str]:
    normalizer, splitter = normalizer_and_splitter(lower_case=lower_case)
    for text in texts:
        for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(text)):
            if len(word) <= LONGEST_WORD:
                yield word
