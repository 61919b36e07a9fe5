"""Windows over long paragraphs, and where answers are in them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denas_nlp.squad.split import Cutting
from denas_nlp.squad.windows import Window, span_in, token_span, windows
from tests.nlp.texts import byte_pairs, word_pieces


def test_windows_by_hand() -> None:
    assert list(windows(5, 5, 2)) == [Window(0, 5, 0, 4)]
    assert list(windows(3, 8, 4)) == [Window(0, 3, 0, 2)]
    # Tokens 0..7 and 4..11: token 5 has 2 on its shorter side in the first window and 1 in the second one.
    assert list(windows(12, 8, 4)) == [Window(0, 8, 0, 5), Window(4, 12, 6, 11)]
    # The last window is shorter, and so counts a little less where both are as far from the edge.
    assert list(windows(6, 4, 3)) == [Window(0, 4, 0, 3), Window(3, 6, 4, 5)]
    assert list(windows(0, 4, 3)) == [Window(0, 0, 0, -1)]


@given(st.integers(1, 400), st.integers(1, 90), st.data())
def test_windows_cover_a_paragraph_and_every_token_counts_in_one(
    tokens: int, room: int, data: st.DataObject
) -> None:
    stride = data.draw(st.integers(1, room))
    found = list(windows(tokens, room, stride))
    assert {token for window in found for token in range(window.start, window.stop)} == set(range(tokens))
    assert [window.start for window in found] == [number * stride for number in range(len(found))]
    assert all(window.stop - window.start == room for window in found[:-1])
    owned = [token for window in found for token in range(window.first, window.last + 1)]
    assert owned == list(range(tokens))
    for window in found:
        for token in range(window.first, window.last + 1):
            # No other window has it further from its edges.
            context = min(token - window.start, window.stop - 1 - token)
            others = (w for w in found if w.start <= token < w.stop)
            assert context >= max(min(token - w.start, w.stop - 1 - token) for w in others) - 0.01 * room


@pytest.mark.parametrize(("room", "expected"), [(400, 128), (256, 128), (255, 127), (9, 4), (1, 1)])
def test_windows_overlap_by_half_where_they_are_short(room: int, expected: int) -> None:
    assert Cutting(stride=128, query_length=64).stride_in(room) == expected


@given(st.integers(1, 400), st.integers(4, 90))
def test_windows_that_overlap_by_half_hold_a_quarter_of_one_behind_each_token_that_counts(
    tokens: int, room: int
) -> None:
    for window in windows(tokens, room, room // 2):
        for token in range(window.first, window.last + 1):
            assert window.stop in (tokens, max(window.stop, token + room // 4))


def test_a_span_is_in_a_window_as_a_whole_or_not_at_all() -> None:
    window = Window(4, 12, 6, 11)
    assert span_in(window, (4, 4)) == (0, 0)
    assert span_in(window, (6, 11)) == (2, 7)
    assert span_in(window, (3, 5)) is None
    assert span_in(window, (10, 12)) is None


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("The", (0, 0)),
        ("rivers", (1, 2)),
        ("in 1817.", (4, 7)),
        ("17", (6, 6)),
        (",", (3, 3)),
        ("ver", (1, 1)),
    ],
)
def test_characters_become_the_tokens_that_hold_them(answer: str, expected: tuple[int, int]) -> None:
    text = "The rivers, in 1817."
    start = text.index(answer)
    assert token_span(word_pieces().tokens(text), start, start + len(answer)) == expected


def test_characters_between_tokens_have_none() -> None:
    tokens = word_pieces().tokens("the  town")
    assert token_span(tokens, 3, 5) is None
    assert token_span(tokens, 3, 6) == (1, 1)
    assert token_span(tokens, 20, 25) is None


def test_a_character_of_several_bytes_takes_all_its_tokens() -> None:
    tokens = byte_pairs(special={}).tokens("a東b")
    assert token_span(tokens, 1, 2) == (1, 3)
