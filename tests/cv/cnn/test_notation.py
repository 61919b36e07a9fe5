"""Structure strings: what is read, what is refused, and that writing is the inverse of reading."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denas_core.errors import ConfigError
from denas_cv.cnn.notation import format_structure, is_structure, parse_structure
from denas_cv.cnn.structure import BLOCK_TYPES, Block

START = (
    "SuperConvK3BNRELU(3,8,1,1)SuperResK3K3(8,16,1,8,1)SuperResK3K3(16,32,2,16,1)SuperResK3K3(32,64,2,32,1)"
    "SuperResK3K3(64,64,2,32,1)SuperConvK1BNRELU(64,128,1,1)"
)


@st.composite
def structures(draw: st.DrawFn) -> tuple[Block, ...]:
    channels = st.integers(1, 512)
    blocks: list[Block] = []
    for _ in range(draw(st.integers(1, 6))):
        type = draw(st.sampled_from(sorted(BLOCK_TYPES.values(), key=lambda type: type.name)))
        in_channels = blocks[-1].out_channels if blocks else draw(channels)
        bottleneck = 0 if type.family == "conv" else draw(channels)
        stride, layers = draw(st.integers(1, 8)), draw(st.integers(1, 9))
        blocks.append(Block(type, in_channels, draw(channels), stride, bottleneck, layers))
    return tuple(blocks)


@given(structures())
def test_every_structure_is_read_back_as_it_was_written(blocks: tuple[Block, ...]) -> None:
    assert parse_structure(format_structure(blocks), origin="test") == blocks


def test_the_fields_of_the_original_start_structure_are_in_their_places() -> None:
    blocks = parse_structure(START, origin="test")
    assert len(blocks) == 6
    assert blocks[2] == Block(BLOCK_TYPES["SuperResK3K3"], 16, 32, 2, 16, 1)
    assert blocks[5] == Block(BLOCK_TYPES["SuperConvK1BNRELU"], 64, 128, 1, 0, 1)


def test_names_and_white_space_are_dropped() -> None:
    text = " SuperConvK3BNRELU(stem|3, 8,1, 1)\n  SuperResIDWE6K7( uuid1f|8,16,2,8,2 ) "
    normalised = "SuperConvK3BNRELU(3,8,1,1)SuperResIDWE6K7(8,16,2,8,2)"
    assert format_structure(parse_structure(text, origin="test")) == normalised


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "block 1 at character 1 .*expected a block"),
        ("SuperResK3K3", "block 1 at character 1 .*expected a block"),
        ("SuperConvK3BNRELU(3,8,1,1", "expected a block"),
        ("SuperConvK3BNRELU(3,8,1,1)!", "block 2 at character 27 .*expected a block such as .*not '!'"),
        ("SuperConvK3BNRELU(3,8,1,1);SuperConvK1BNRELU(8,8,1,1)", "block 2 at character 27"),
        ("SuperConvK3BNRELU((3,8,1,1))", "expected a block"),
        ("SuperResK3K5(3,8,1,8,1)", "unknown type 'SuperResK3K5'; did you mean 'SuperResK.K.'"),
        ("MaxPool(3,2,1)", "unknown type 'MaxPool'; known: SuperConvK"),
        ("SuperConvK3BNRELU(3,8,1)", "takes 4 numbers .input channels, output channels, stride, sub-layers."),
        ("SuperConvK3BNRELU(3,8,1,8,1)", "takes 4 numbers"),
        ("SuperResK3K3(3,8,1,1)", "takes 5 numbers .*bottleneck channels"),
        (f"Super{'K' * 5000}(3)", "unknown type"),
        (f"SuperResK3K3({'1,' * 5000})", "takes 5 numbers"),
        ("SuperResK3K3()", "takes 5 numbers"),
        (
            "SuperResK3K3(3,8,1,0,1)",
            "bottleneck channels of SuperResK3K3 must be a whole number from 1 .*'0'",
        ),
        ("SuperResK3K3(3,-8,1,8,1)", "output channels .*'-8'"),
        ("SuperResK3K3(3,8.0,1,8,1)", "output channels .*'8.0'"),
        ("SuperResK3K3(3,x,1,8,1)", "output channels .*'x'"),
        ("SuperResK3K3(3,٣,1,8,1)", "output channels"),
        ("SuperResK3K3(3,8193,1,8,1)", "output channels .*from 1 to 8192"),
        (f"SuperResK3K3(3,{'9' * 5000},1,8,1)", "output channels .*from 1 to 8192"),
        ("SuperResK3K3(3,8,9,8,1)", "stride .*from 1 to 8"),
        ("SuperResK3K3(3,8,1,8,1000000)", "sub-layers .*from 1 to 256"),
        ("SuperConvK1BNRELU(8,8,1,1)" * 257, "block 257 .*more than 256 sub-layers"),
        (
            "SuperConvK3BNRELU(3,8,1,1)SuperResK3K3(16,8,1,8,1)",
            "SuperResK3K3 takes 16 channels, but SuperConvK3BNRELU before it returns 8",
        ),
    ],
)
def test_a_bad_string_is_refused_in_one_line_that_names_the_place(text: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint) as raised:
        parse_structure(text, origin="net.txt")
    message = str(raised.value)
    assert "net.txt" in message
    assert "\n" not in message
    assert len(message) < 400


@given(st.text(alphabet="SuperResKBNLU(),|135 \n", max_size=60))
def test_any_text_is_either_read_or_refused(text: str) -> None:
    with contextlib.suppress(ConfigError):
        assert parse_structure(text, origin="test")


@pytest.mark.parametrize("text", [START, f"  \n{START}", "SuperRes", "MaxPool(3)"])
def test_strings_that_mean_a_structure_are_recognised(text: str) -> None:
    assert is_structure(text)


@pytest.mark.parametrize(
    "text", ["", '{"stem.channels": 8}', "stem.channels: 8", "arch:\n  stem.channels: 8"]
)
def test_mappings_are_not_taken_for_structures(text: str) -> None:
    assert not is_structure(text)
