"""Windows over the tokens of a paragraph; a network reads each window together with the question."""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from denas_nlp.text.tokenizer import Tokens


class Window(NamedTuple):
    """A part of a paragraph, in numbers of tokens.

    Attributes:
        start: The first token.
        stop: The end (exclusive).
        first: The first token that has more context in this window than in any other.
        last: The last such token.
    """

    start: int
    stop: int
    first: int
    last: int


def windows(tokens: int, room: int, stride: int) -> Iterator[Window]:
    """Yield the windows over a paragraph: they start every `stride` tokens and have `room` tokens; the last is shorter.

    As in BERT, an answer belongs to the window in which its first token has the most context. Context is measured on
    the shorter side; the total length decides between equal ones.

    Args:
        tokens: Number of tokens of the paragraph.
        room: Number of tokens of a window.
        stride: Number of tokens between the starts of two windows, at most `room`.
    """
    bounds = [(0, min(room, tokens))]
    while bounds[-1][1] < tokens:
        start = bounds[-1][0] + stride
        bounds.append((start, min(start + room, tokens)))
    if len(bounds) == 1:
        yield Window(0, tokens, 0, tokens - 1)
        return
    owners = [_owner(token, bounds, stride, room) for token in range(tokens)]
    for number, (start, stop) in enumerate(bounds):
        own = [token for token in range(start, stop) if owners[token] == number]
        yield Window(start, stop, own[0] if own else stop, own[-1] if own else start - 1)


def span_in(window: Window, span: tuple[int, int]) -> tuple[int, int] | None:
    """Return a span (last token included) relative to the window's start; None if the window does not contain it."""
    if window.start <= span[0] and span[1] < window.stop:
        return span[0] - window.start, span[1] - window.start
    return None


def token_span(tokens: Tokens, start: int, stop: int) -> tuple[int, int] | None:
    """Return the first and the last token of a range of characters; None if no token covers them.

    Args:
        tokens: The paragraph.
        start: The first character.
        stop: The end (exclusive).
    """
    first = bisect.bisect_right(tokens.ends, start)
    last = bisect.bisect_left(tokens.starts, stop) - 1
    return (first, last) if first <= last else None


def _owner(token: int, bounds: Sequence[tuple[int, int]], stride: int, room: int) -> int:
    # Only windows that start at most `room` tokens before the token contain it.
    earliest = max((token - room) // stride, 0)
    holding = [
        number
        for number in range(earliest, min(token // stride + 1, len(bounds)))
        if bounds[number][0] <= token < bounds[number][1]
    ]

    def context(number: int) -> float:
        start, stop = bounds[number]
        return min(token - start, stop - 1 - token) + 0.01 * (stop - start)

    return max(holding, key=context)
