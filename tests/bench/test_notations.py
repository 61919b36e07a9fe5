"""What the benchmarks write is read, and a text that is not one of their networks is refused in one line."""

from __future__ import annotations

import json

import pytest

from denas_bench.autoformer.space import AutoFormer
from denas_bench.flexibert.space import FlexiBERT
from denas_bench.nasbench201.space import NASBench201
from denas_bench.tc_resnet.space import TCResNet
from denas_core.errors import ConfigError
from denas_core.registry.options import make_component

CELL = "|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|skip_connect~0|none~1|avg_pool_3x3~2|"


def test_a_cell_is_read_and_written() -> None:
    space = NASBench201().named("bench/nasbench201")
    arch = space.parse(f" {CELL}\n")
    assert (arch["op_1_0"], arch["op_2_1"], arch["op_3_2"]) == (
        "nor_conv_3x3",
        "nor_conv_1x1",
        "avg_pool_3x3",
    )
    assert space.format(arch) == CELL


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            CELL.replace("avg_pool_3x3", "avg_pool_3x4"),
            "no operation 'avg_pool_3x4' .*did you mean 'avg_pool_3x3'",
        ),
        (CELL.replace("none~1", "none~2"), "has not the six operations of a cell"),
        (CELL.rpartition("+")[0], "has not the six operations of a cell"),
        ("|none|", "'none' is not an operation with its source"),
    ],
)
def test_a_text_that_is_no_cell_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        NASBench201().named("bench/nasbench201").parse(text)


def test_cells_that_compute_the_same_are_two_networks() -> None:
    """Node 1 leads nowhere, but its convolution was trained, and counts."""
    space = NASBench201().named("bench/nasbench201")
    dead, empty = (
        f"|{op}~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|" for op in ("nor_conv_3x3", "none")
    )
    assert space.parse(dead) != space.parse(empty)


def test_a_row_of_a_table_of_transformers_is_read_as_the_tuple_is() -> None:
    space = make_component(AutoFormer, dict(AutoFormer.presets["tiny"]), id="bench/autoformer")
    heads, ratios = [3, 4] * 6, [3.5, 4.0, 4.0] * 4
    row = {
        "id": "7",
        "hidden_dim": "216",
        "depth": "12",
        "num_heads": " ".join(map(str, heads)),
        "mlp_ratio": " ".join(map(str, ratios)),
        "params_M": "6.9",
    }
    assert space.parse(json.dumps(row)) == space.parse(str((12, *ratios, *heads, 216)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"depth": 13}, "num_heads has 12 entries for 13 blocks"),
        ({"mlp_ratio": "3.5 4"}, "mlp_ratio has 2 entries for 12 blocks"),
        ({"num_heads": "3 x"}, "'x' is not a number, as num_heads"),
        ({"embed_dim": "inf"}, "'inf' is not a number, as width"),
        ({"embed_dim": 200}, "knob 'embed_dim' of 'bench/autoformer' cannot be 200"),
    ],
)
def test_a_row_that_is_no_transformer_is_refused(change: dict[str, object], message: str) -> None:
    row = {"embed_dim": 192, "num_heads": "3 " * 12, "mlp_ratio": "4 " * 12, **change}
    with pytest.raises(ConfigError, match=message):
        AutoFormer().named("bench/autoformer").parse(json.dumps(row))


def test_operations_of_an_encoder_do_not_matter_and_the_rest_does() -> None:
    space = FlexiBERT().named("bench/flexibert")

    def parse(*layers: list[object]) -> object:
        return space.parse(json.dumps({"id": 3, "hidden_size": 128, "layers": layers}))

    first = parse(["SA", "SDP", 2, 512, 3], ["LT", "DFT", 4, 512, 1])
    assert first == parse(["DSC", 9, 2, 512, 3], ["SA", "WMA", 4, 1024, 1])
    assert first != parse(["SA", "SDP", 2, 1024, 3], ["LT", "DFT", 4, 512, 1])
    assert first != parse(["SA", "SDP", 4, 512, 3], ["LT", "DFT", 4, 512, 1])


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"layers": [["SA", "SDP", 2, 512, 1]] * 2}, "the network has no hidden_size"),
        ({"hidden_size": 128, "layers": [["SA", 2, 512, 1]] * 2}, "layer 1 is .* expected five values"),
        (
            {"hidden_size": 128, "layers": [["DCS", 5, 2, 512, 1]] * 2},
            "unknown operation 'DCS'.*did you mean 'DSC'",
        ),
        ({"hidden_size": 128, "layers": [["SA", "SDP", 2, 512, 1]] * 3}, "knob 'layers' .* cannot be 3"),
    ],
)
def test_a_description_that_is_no_encoder_is_refused(document: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        FlexiBERT().named("bench/flexibert").parse(json.dumps(document))


def test_the_dilation_of_a_kernel_of_one_does_not_matter() -> None:
    space = TCResNet().named("bench/tc-resnet")
    arch = space.parse("w=1.0;k1d4s2|k3d2s1")
    assert arch == space.parse("w=1;k1d1s2|k3d2s1")
    assert space.format(arch) == "w=1.0;k1d1s2|k3d2s1"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("w=1.0", "'w=1.0' is not a network"),
        ("w=1.0;k3d1", "'k3d1' is not a block"),
        ("w=1.0;k2d1s1", "knob 'block1.kernel' of 'bench/tc-resnet' cannot be 2"),
        ('{"width": 1.0, "blocks": [{"kernel": 3, "stride": 1}]}', "the network has no block1.dilation"),
    ],
)
def test_a_text_that_is_no_temporal_network_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TCResNet().named("bench/tc-resnet").parse(text)
