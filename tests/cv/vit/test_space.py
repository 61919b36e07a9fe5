"""The space of vision transformers: published parameter counts, notation, views, options."""

from __future__ import annotations

import csv
import dataclasses
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from denas_core import Candidate
from denas_core.errors import ConfigError
from denas_core.registry.options import make_component
from denas_cv.vit.space import ViT
from denas_scores.diversity import Diversity
from denas_scores.saliency import Saliency

BESIDE = Path(__file__).parents[3] / "shared" / "benchmarks"
TABLES = Path(os.environ.get("DENAS_BENCHMARKS", BESIDE)) / "autoformer"
"""Where the whole published tables are, on a machine that has them."""

ORIGINAL = (
    "(13, 3.5, 4.0, 3.5, 3.0, 3.0, 3.5, 3.0, 3.0, 3.5, 3.0, 4.0, 3.0, 3.5, "
    "6, 9, 6, 3, 6, 10, 5, 9, 5, 3, 5, 3, 3, 448)"
)

# embedding width, heads and MLP ratios of each block, parameters; from AutoFormer's supernets of 1000 classes.
ROWS = {
    "tiny": [
        (192, "4 4 3 3 4 3 3 3 4 4 4 3 3", "3.5 3.5 4 4 3.5 4 4 3.5 3.5 4 4 4 4", 6_373_384),
        (216, "4 4 4 4 3 3 3 3 3 3 3 4", "4 3.5 3.5 4 4 3.5 3.5 3.5 4 3.5 3.5 3.5", 6_924_256),
        (192, "3 4 3 3 4 3 3 3 3 3 4 4 4 3", "4 3.5 3.5 3.5 3.5 4 4 4 4 3.5 3.5 4 4 4", 6_739_624),
        (192, "4 3 4 3 3 4 3 4 3 4 4 4", "3.5 4 4 3.5 4 3.5 3.5 4 4 4 4 4", 6_007_144),
    ],
    "small": [
        (384, "6 5 5 6 7 5 7 6 5 7 5 6 6 7", "4 4 4 3.5 4 4 3 3 3 3 4 4 4 3", 23_984_488),
        (320, "7 7 6 6 6 5 5 7 5 6 5 7", "4 3 3.5 3 3 4 4 3.5 4 3 4 3", 15_273_384),
    ],
}
# As above, of plain vision transformers whose heads share the embedding width; 100 classes.
PLAIN_ROWS = [
    (192, "4 4 3 4 3 3 4 4 3 3 3 4", "3.5 4 3.5 4 3.5 3.5 4 3.5 4 4 4 3.5", 5_321_956),
    (240, "3 3 3 4 4 3 3 3 4 3 3 4 3 4", "4 3.5 3.5 4 4 4 4 3.5 3.5 3.5 3.5 3.5 4 4", 9_573_100),
]


def preset(name: str, **options: Any) -> ViT:
    return make_component(ViT, {**ViT.presets[name], **options}, id="cv/vit")


def plain() -> ViT:
    return preset("tiny", classes=100, head_size=0, relative_position=False)


def parameters(space: ViT, width: int, heads: str, ratios: str) -> int:
    entries = [str(len(heads.split())), *ratios.split(), *heads.split(), str(width)]
    with torch.device("meta"):
        model = space.build(space.parse(f"({', '.join(entries)})"))
    return sum(parameter.numel() for parameter in model.parameters())


def table(name: str) -> Iterator[dict[str, str]]:
    if not TABLES.is_dir():
        pytest.skip("the published tables are not on this machine; DENAS_BENCHMARKS says where they are")
    with (TABLES / name).open(newline="") as file:
        yield from csv.DictReader(file)


@pytest.mark.parametrize("name", ["tiny", "small"])
def test_published_supernets_count_the_same(name: str) -> None:
    space = preset(name)
    for width, heads, ratios, count in ROWS[name]:
        assert parameters(space, width, heads, ratios) == count


def test_plain_transformers_of_a_published_benchmark_count_the_same() -> None:
    space = plain()
    for width, heads, ratios, count in PLAIN_ROWS:
        assert parameters(space, width, heads, ratios) == count


@pytest.mark.parametrize("name", ["tiny", "small"])
def test_every_row_of_the_published_tables_counts_the_same(name: str) -> None:
    space = preset(name)
    for row in table(f"supernet_{name}.csv"):
        count = parameters(space, int(row["embed_dim"]), row["num_heads"], row["mlp_ratio"])
        assert count == round(float(row["params_M"]) * 1e6)


def test_every_row_of_the_published_benchmark_counts_the_same() -> None:
    space = plain()
    for row in table("vitbench_main.csv"):
        count = parameters(space, int(row["hidden_dim"]), row["num_heads"], row["mlp_ratio"])
        assert count == int(row["params_100cls"])


def test_the_original_counts_its_networks_the_same() -> None:
    space = preset("denas")
    smallest = space.parse(f"(12, {'3.0, ' * 12}{'3, ' * 12}192)")
    assert smallest == space.smallest()
    assert space.cost(smallest)["params"] == 4_731_466
    assert space.cost(space.parse(ORIGINAL))["params"] == 26_440_362


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"head_size": 0, "relative_position": False},
        {"absolute_position": False, "global_pooling": False, "max_relative_position": 3},
        {"image_size": 8, "patch_size": 8, "channels": 1, "classes": 500},
    ],
)
def test_the_cost_is_that_of_the_whole_network_on_the_meta_device(options: dict[str, Any]) -> None:
    given = {
        "image_size": 32,
        "patch_size": 8,
        "depths": [1, 3, 4],
        "embed_dims": [12, 48],
        "heads": [1, 3, 6],
    }
    space = make_component(ViT, {**given, "mlp_ratios": [0.5, 4.0], **options}, id="cv/vit")
    rng = random.Random(0)
    for arch in (space.smallest(), space.full(), *(space.sample(rng) for _ in range(6))):
        assert space.cost(arch) == space.counted_cost(arch)


def test_the_tuple_of_the_original_is_read_and_written() -> None:
    space = preset("denas")
    arch = space.parse(ORIGINAL)
    assert space.format(arch) == ORIGINAL
    assert space.parse(f" [{ORIGINAL[1:-1]}] \n") == arch
    assert arch["layer2.heads"] == 9 and arch["layer13.mlp_ratio"] == 3.5 and arch["embed_dim"] == 448


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(2, 3.0, x, 3, 4, 192)", "'x' is not a number of an architecture"),
        ("(2, 3.5, 3.5, 3, 192)", "5 numbers starting with '2' are not an architecture"),
        ("()", "0 numbers starting with '' are not an architecture"),
        ("(1.5, 3, 3, 192)", "4 numbers starting with '1.5' are not an architecture"),
        (f"(12, {'3.5, ' * 12}{'3, ' * 12}200)", "knob 'embed_dim' of 'cv/vit' cannot be 200"),
        (f"(12, {'3.5, ' * 12}{'3, ' * 11}3.5, 192)", "knob 'layer12.heads' of 'cv/vit' cannot be 3.5"),
    ],
)
def test_a_tuple_that_is_no_architecture_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message.replace("(", r"\(")):
        preset("tiny").parse(text, origin="--arch")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_size": 30}, "image_size 30 is not a multiple of patch_size 16; change one of them"),
        ({"depths": [3, 2]}, r"depths \[3, 2\] must be one or more different numbers, from small to large"),
        ({"heads": []}, r"heads \[\] must be one or more different numbers"),
        ({"embed_dims": [0, 8]}, "embed_dims has 0; a choice must be more than 0, and at most 8192"),
        ({"head_size": 0, "embed_dims": [100]}, "3 heads cannot divide 100"),
    ],
)
def test_options_that_do_not_fit_together_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_component(ViT, options, id="cv/vit")


def test_small_images_take_smaller_patches() -> None:
    space = preset("tiny", image_size=32, patch_size=4)
    with torch.device("meta"):
        model = space.build(space.smallest())
        out = space.forward(model, space.batch(2, seed=0, kind="cost"))
    assert out.features.shape == (2, 64, 192)
    assert out.logits["logits"].shape == (2, 1000)


def test_the_presets_are_those_of_the_paper() -> None:
    """Table 2 of AutoFormer, whose query, key and value widths are 64 a head."""
    options = ("depths", "embed_dims", "mlp_ratios", "heads")
    ends = {}
    for name in ("tiny", "small", "base"):
        choices = [preset(name).options()[option] for option in options]
        ends[name] = [values[i] for values in choices for i in (0, -1)]
    assert ends == {
        "tiny": [12, 14, 192, 240, 3.5, 4.0, 3, 4],
        "small": [12, 14, 320, 448, 3.0, 4.0, 5, 7],
        "base": [14, 16, 528, 624, 3.0, 4.0, 8, 10],
    }


def test_the_micro_preset_reaches_from_a_tenth_of_a_million_to_a_few_million_parameters() -> None:
    space = preset("micro")
    ends = [space.cost(arch)["params"] for arch in (space.smallest(), space.full())]
    assert 50e3 < ends[0] < 100e3 and 2e6 < ends[1] < 3e6


def test_views_name_every_projection_and_its_block() -> None:
    space = preset("tiny", depths=[2])
    with torch.device("meta"):
        model = space.build(space.full())
    shapes = dict(model.named_parameters())
    found = [(v.kind, v.layer, tuple(v.of(shapes[v.parameter]).shape)) for v in space.views(model)]
    block = [
        *((f"attention.{part}", (256, 240)) for part in "qkv"),
        ("attention.out", (240, 256)),
        ("ffn", (960, 240)),
        ("ffn", (240, 960)),
    ]
    assert found == [
        ("embed", 0, (240, 3, 16, 16)),
        *((kind, layer, shape) for layer in (1, 2) for kind, shape in block),
        ("head", 3, (1000, 240)),
    ]


def test_options_that_change_no_network_keep_its_key() -> None:
    tiny, other = preset("tiny"), preset("tiny", depths=[12], drop_path=0.3)
    text = tiny.format(tiny.smallest())
    assert tiny.parse(text) == other.parse(text)
    assert tiny.parse(text) != preset("tiny", max_relative_position=7).parse(text)


@pytest.mark.parametrize(
    "name",
    [
        "micro",
        "tiny",
        *(pytest.param(name, marks=pytest.mark.nightly) for name in ("small", "base", "denas")),
    ],
)
def test_the_scores_of_transformers_are_finite_at_both_ends(name: str) -> None:
    """At 32 pixels, which keeps widths and depths, and with them what could overflow."""
    space = preset(name, image_size=32)
    saliencies = []
    for arch in (space.smallest(), space.full()):
        candidate = Candidate(space, arch)
        assert 0 < Diversity().measure(candidate) < 1e9
        saliencies.append(Saliency().measure(candidate))
    assert 0 < saliencies[0] < saliencies[1] < 500


def test_saliency_is_conserved_by_the_head_and_the_patches() -> None:
    """With attention weights held constant, the network of magnitudes is almost linear: each cut carries all of R."""
    space = preset("tiny", image_size=32, absolute_position=False)
    candidate = Candidate(space, space.smallest())
    spec = dataclasses.replace(Saliency().passes()[0], gradients="weights", roles=())
    trace = candidate.trace(spec)
    total = float(trace.outputs.logits["logits"].sum())
    for name in ("head.weight", "embedding.patches.weight"):
        product = float((trace.parameters[name] * trace.gradients[name]).sum())
        assert product == pytest.approx(total, rel=1e-2), name


def test_the_space_can_be_searched_without_torch() -> None:
    code = "import sys, denas_cv.vit.space as s; s.ViT().knobs(); print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
