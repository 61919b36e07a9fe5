"""The networks have as many parameters as their benchmarks publish, or as paper and pencil give."""

from __future__ import annotations

import csv
import itertools
import json
import random
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
import torch

from denas_bench.autoformer.space import AutoFormer
from denas_bench.flexibert.space import FlexiBERT
from denas_bench.nasbench201.space import NASBench201
from denas_bench.tc_resnet.space import TCResNet
from denas_core import SearchSpace
from denas_core.registry.options import make_component

from .published import published


def parameters(space: SearchSpace, text: str) -> int:
    with torch.device("meta"):
        model = space.build(space.parse(text))
    return sum(parameter.numel() for parameter in model.parameters())


def autoformer(preset: str) -> AutoFormer:
    return make_component(AutoFormer, dict(AutoFormer.presets[preset]), id="bench/autoformer")


def rows(name: str) -> Iterator[dict[str, str]]:
    with published(name).open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def sample(entries: Iterable[Any], *, every: int) -> Iterator[Any]:
    """Yield the first entry and those that follow at a distance: building all networks takes minutes."""
    return itertools.islice(entries, None, None, every)


def of_cell(text: str, *, classes: int = 10) -> int:
    """Count a network of NAS-Bench-201 as its authors describe it."""
    convolutions = 28_000 * text.count("nor_conv_1x1") + 243_040 * text.count("nor_conv_3x3")
    return 73_306 + convolutions + 65 * (classes - 10)


def of_encoder(network: dict[str, Any]) -> int:
    """Count an encoder of NAS-Bench-BERT with a head of two classes."""
    hidden = network["hidden_size"]
    embeddings = (30_522 + 512 + 2) * 128 + 2 * 128
    count = embeddings + (0 if hidden == 128 else 129 * hidden)
    for _, _, _, width, layers in network["layers"]:
        count += 4 * (hidden + 1) * hidden + 4 * hidden
        widths = [hidden, 4 * hidden, *[width] * (layers - 1), hidden]
        count += sum((widths[i] + 1) * widths[i + 1] for i in range(len(widths) - 1))
    return count + 2 * (hidden + 1)


@pytest.mark.parametrize(("preset", "classes"), [("cifar10", 10), ("cifar100", 100), ("imagenet16", 120)])
def test_cells_count_as_their_authors_say(preset: str, classes: int) -> None:
    space = make_component(NASBench201, dict(NASBench201.presets[preset]), id="bench/nasbench201")
    rng = random.Random(0)
    for arch in (space.smallest(), space.full(), *(space.sample(rng) for _ in range(4))):
        text = space.format(arch)
        assert parameters(space, text) == of_cell(text, classes=classes)


@pytest.mark.parametrize(
    ("preset", "width", "heads", "ratios", "count"),
    [
        ("tiny", 192, "4 4 3 3 4 3 3 3 4 4 4 3 3", "3.5 3.5 4 4 3.5 4 4 3.5 3.5 4 4 4 4", 6_373_384),
        ("tiny", 216, "4 4 4 4 3 3 3 3 3 3 3 4", "4 3.5 3.5 4 4 3.5 3.5 3.5 4 3.5 3.5 3.5", 6_924_256),
        ("small", 384, "6 5 5 6 7 5 7 6 5 7 5 6 6 7", "4 4 4 3.5 4 4 3 3 3 3 4 4 4 3", 23_984_488),
        (
            "base",
            624,
            "9 10 9 10 9 9 10 10 9 10 10 10 9 10 10",
            "3.5 3 3.5 4 3.5 3.5 3.5 3.5 3.5 4 3 4 3 3.5 3",
            64_959_352,
        ),
        ("plain", 192, "4 4 3 4 3 3 4 4 3 3 3 4", "3.5 4 3.5 4 3.5 3.5 4 3.5 4 4 4 3.5", 5_321_956),
        ("plain", 240, "3 3 3 4 4 3 3 3 4 3 3 4 3 4", "4 3.5 3.5 4 4 4 4 3.5 3.5 3.5 3.5 3.5 4 4", 9_573_100),
    ],
)
def test_vision_transformers_count_as_published(
    preset: str, width: int, heads: str, ratios: str, count: int
) -> None:
    row = {"embed_dim": width, "num_heads": heads, "mlp_ratio": ratios}
    assert parameters(autoformer(preset), json.dumps(row)) == count


def test_the_largest_supernet_counts_by_the_published_formula() -> None:
    width, heads, ratio = 528, 8, 3.0
    q, hidden = 64 * heads, int(width * ratio)
    block = width * 3 * q + 3 * q + q * width + width + 2 * hidden * width + hidden + width + 4 * width + 7680
    ends = 3 * 256 * width + width + 197 * width + width + 2 * width + 1000 * width + 1000
    space = autoformer("base")
    assert space.cost(space.smallest())["params"] == 14 * block + ends


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("w=0.75;k15d4s2|k13d4s2|k1d2s1", 27_252),
        ("w=0.25;k3d2s1|k7d2s1|k15d2s1|k7d1s2", 9_716),
        ("w=1.5;k3d4s2", 10_932),
    ],
)
def test_temporal_convolutions_count_as_published(text: str, count: int) -> None:
    assert parameters(TCResNet().named("bench/tc-resnet"), text) == count


@pytest.mark.parametrize(
    "network",
    [
        {"hidden_size": 128, "layers": [["SA", "SDP", 2, 512, 1], ["LT", "DFT", 4, 1024, 1]]},
        {"hidden_size": 256, "layers": [["DSC", 9, 4, 512, 3], ["SA", "WMA", 2, 1024, 3]] * 2},
    ],
)
def test_encoders_count_as_paper_and_pencil_do(network: dict[str, Any]) -> None:
    space = FlexiBERT().named("bench/flexibert")
    assert parameters(space, json.dumps(network)) == of_encoder(network)


def test_every_published_cell_is_read_and_some_count_the_same() -> None:
    space = NASBench201().named("bench/nasbench201")
    for index, row in enumerate(rows("nasbench201/accuracy.csv")):
        text = row["arch_str"]
        assert space.format(space.parse(text)) == text
        assert index % 50 or parameters(space, text) == of_cell(text)


@pytest.mark.parametrize("preset", ["tiny", "small"])
def test_published_subnets_of_a_supernet_count_the_same(preset: str) -> None:
    space = autoformer(preset)
    for row in sample(rows(f"autoformer/supernet_{preset}.csv"), every=25):
        assert parameters(space, json.dumps(row)) == round(float(row["params_M"]) * 1e6)


def test_published_plain_transformers_count_the_same() -> None:
    space = autoformer("plain")
    for row in sample(rows("autoformer/vitbench_main.csv"), every=10):
        assert parameters(space, json.dumps(row)) == int(row["params_100cls"])


def test_every_published_temporal_network_counts_the_same() -> None:
    space = TCResNet().named("bench/tc-resnet")
    configurations = json.loads(published("speech_kws/tc_resnet_configs.json").read_text(encoding="utf-8"))
    for row in rows("speech_kws/tc_resnet.csv"):
        arch = space.parse(row["spec"])
        assert space.parse(json.dumps(configurations[row["arch_id"]])) == arch
        cost = space.cost(arch)
        assert (cost["params"], cost["flops"]) == (int(row["params"]), 2 * int(row["flops_macs"]))


def test_published_encoders_count_the_same() -> None:
    space = FlexiBERT().named("bench/flexibert")
    networks = json.loads(published("flexibert/bert_glue.json").read_text(encoding="utf-8"))["architectures"]
    for network in sample(networks, every=10):
        assert parameters(space, json.dumps(network)) == of_encoder(network)
