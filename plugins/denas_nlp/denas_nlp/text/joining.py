"""Join the most frequent pairs of tokens in words, as byte-pair encoding does (Sennrich et al. 2016, arXiv:1508.07909).

The trainer of the library tokenizers is not used: its result differs from process to process, and it starts threads, so
that it warns when the process forks later.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

LEAST_COUNT = 2
"""A pair that occurs once would become a token with a single example."""

Pair = tuple[str, str]


class Joining:
    """Words as lists of tokens, and how often each pair of neighbours occurs in them."""

    def __init__(
        self, words: Mapping[str, int], splits: dict[str, list[str]], *, continued: str = ""
    ) -> None:
        """Count the pairs.

        Args:
            words: The words and how often each occurs.
            splits: The tokens of each word; they are changed.
            continued: The mark of a token that continues a word. It disappears when the token is joined to another.
        """
        self._words, self._splits, self._continued = words, splits, continued
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
                return pair if -negative >= LEAST_COUNT else None
            # The count has changed since this entry was made, and a newer entry exists.
            heapq.heappop(self._heap)
        return None

    def join(self, pair: Pair) -> str:
        """Join a pair in all words, and return the token that it becomes."""
        token = pair[0] + pair[1].removeprefix(self._continued)
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
