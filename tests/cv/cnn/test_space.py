"""The CNN space: its grid, its operators, its notation and its cost."""

from __future__ import annotations

import itertools
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import pytest
import torch

from denas_core import Architecture, Problem
from denas_core.errors import ConfigError, Infeasible
from denas_core.setup.bounds import reachable
from denas_core.values.objectives import Constraint
from denas_cv.cnn.counting import count_network
from denas_cv.cnn.skeleton import SKELETONS
from denas_cv.cnn.space import CNN
from denas_cv.cnn.structure import BLOCK_TYPES, PREFIX, Block
from denas_cv.cnn.units import units

START = (
    "SuperConvK3BNRELU(3,8,1,1)SuperResK3K3(8,16,1,8,1)SuperResK3K3(16,32,2,16,1)SuperResK3K3(32,64,2,32,1)"
    "SuperResK3K3(64,64,2,32,1)SuperConvK1BNRELU(64,128,1,1)"
)
OFF_GRID = "SuperConvK5BNRELU(3,10,2,2)SuperResK1K7K1(10,20,2,12,9)"
OPTIONS = [
    {},
    {"inverted": True, "squeeze_excitation": True},
    {"skeleton": "micro"},
    {"skeleton": "imagenet", "image_size": 224, "classes": 1000},
    {"image_size": 33, "max_layers": 5, "channels": 1},
]


def space(**options) -> CNN:
    return CNN(**options).named("cv/cnn")


def samples(cnn: CNN, count: int, seed: int = 0) -> list[Architecture]:
    rng = random.Random(seed)
    return [cnn.sample(rng) for _ in range(count)]


@pytest.mark.parametrize("options", OPTIONS)
def test_layers_of_knobs_are_the_blocks(options: dict) -> None:
    cnn = space(**options)
    assert {knob.layer for knob in cnn.knobs()} == set(range(len(cnn.blocks(cnn.smallest()))))
    assert cnn.size() == torch.tensor([len(k.values) for k in cnn.knobs()]).prod().item()


def test_inverted_types_are_offered_on_request() -> None:
    plain, inverted = (
        next(knob.values for knob in space(inverted=flag).knobs() if knob.name == "block1.type")
        for flag in (False, True)
    )
    assert sorted(plain) == ["K1K3K1", "K1K5K1", "K1K7K1", "K3K3", "K5K5", "K7K7"]
    assert len(inverted) == len(plain) + 12
    assert [type for type in inverted if type in plain] == list(plain)


@pytest.mark.parametrize("options", OPTIONS)
def test_widths_are_multiples_of_eight(options: dict) -> None:
    for knob in space(**options).knobs():
        if knob.name.endswith((".channels", ".bottleneck")):
            assert all(value % 8 == 0 for value in knob.values)
            assert list(knob.values) == sorted(knob.values)


def test_squeeze_excitation_moves_the_ends_of_the_cost_by_less_than_5_percent() -> None:
    cnn = space(inverted=True, squeeze_excitation=True)
    smallest, full = cnn.smallest(), cnn.full()
    inside = [*samples(cnn, 300), *cnn.neighbours(smallest), *cnn.neighbours(full)]
    for metric in ("params", "flops"):
        low, high = cnn.cost(smallest)[metric], cnn.cost(full)[metric]
        # See the comment on the skeletons.
        assert all(0.95 * low < cnn.cost(arch)[metric] < 1.05 * high for arch in inside)


@pytest.mark.parametrize("skeleton", ["micro", "cifar"])
@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("max_layers", [1, 3])
def test_without_squeeze_excitation_the_ends_are_the_least_and_the_most_of_all_networks(
    skeleton: str, inverted: bool, max_layers: int
) -> None:
    """Against dynamic programming over the channels between blocks, which knows every network of the space."""
    cnn = space(skeleton=skeleton, inverted=inverted, max_layers=max_layers)
    for end, best in ((cnn.smallest(), min), (cnn.full(), max)):
        for metric in ("params", "flops"):
            assert cnn.cost(end)[metric] == extreme(cnn, metric, best)


def extreme(cnn: CNN, metric: str, best: Callable[[Iterable[int]], int]) -> int:
    """Return the least or most of any network: costs add up over blocks, and a block sees its input's channels only."""
    grid = {knob.name: knob.values for knob in cnn.knobs()}
    slots = SKELETONS[cnn.skeleton].slots
    size, reached = cnn.image_size, {cnn.channels: 0}

    def extended(ways: Iterable[Block]) -> dict[int, int]:
        found: dict[int, list[int]] = {}
        for block in ways:
            # A head of no classes costs nothing.
            count = count_network([units(block)], channels=block.in_channels, image_size=size, classes=0)
            total = reached[block.in_channels] + getattr(count, metric)
            found.setdefault(block.out_channels, []).append(total)
        return {channels: best(totals) for channels, totals in found.items()}

    def ends(type: str, choices: Iterable[int]) -> Iterator[Block]:
        return (Block(BLOCK_TYPES[type], i, o, 1, 0, 1) for i, o in itertools.product(reached, choices))

    reached = extended(ends("SuperConvK3BNRELU", grid["stem.channels"]))
    for i, slot in enumerate(slots, start=1):
        names = [f"block{i}.{part}" for part in ("type", "channels", "bottleneck")]
        ways = itertools.product(reached, *(grid[name] for name in names), {1, cnn.max_layers})
        reached = extended(
            Block(BLOCK_TYPES[PREFIX + type], incoming, out, slot.stride, bottleneck, layers)
            for incoming, type, out, bottleneck, layers in ways
        )
        size = (size - 1) // slot.stride + 1
    reached = extended(ends("SuperConvK1BNRELU", grid["final.channels"]))
    per_class = {"params": 1, "flops": 2}[metric]
    bias = metric == "params"
    return best(total + cnn.classes * (per_class * out + bias) for out, total in reached.items())


@pytest.mark.parametrize("options", OPTIONS)
def test_the_closed_form_cost_is_the_counted_one(options: dict) -> None:
    cnn = space(**options)
    for arch in [*samples(cnn, 4), cnn.smallest(), cnn.parse(OFF_GRID.replace("(3,", f"({cnn.channels},"))]:
        closed, counted = cnn.cost(arch), cnn.counted_cost(arch)
        # Torch's eval-mode batch norm returns two unused vectors, which the closed form leaves out.
        assert closed.pop("memory_mb") == pytest.approx(counted.pop("memory_mb"), rel=0.01)
        assert closed == counted


def test_the_closed_form_cost_holds_for_a_large_head() -> None:
    cnn = space(classes=50_000, image_size=8)
    arch = cnn.parse(START)
    assert cnn.cost(arch)["memory_mb"] == pytest.approx(cnn.counted_cost(arch)["memory_mb"], rel=0.001)
    assert cnn.cost(arch)["params_head"] == 129 * 50_000


def test_absurdly_many_classes_are_refused_in_one_line() -> None:
    cnn = space(classes=10**18)
    with pytest.raises(Infeasible, match=r"cv/cnn.*too large") as raised:
        cnn.cost(cnn.smallest())
    assert "\n" not in str(raised.value)


def test_the_original_start_structure_is_on_the_grid() -> None:
    arch = space().parse(START)
    assert arch["block2.type"] == "K3K3"
    assert (arch["block2.channels"], arch["block2.bottleneck"], arch["block2.layers"]) == (32, 16, 1)
    assert (arch["stem.channels"], arch["final.channels"]) == (8, 128)
    assert arch == space().architecture(arch.as_dict())


def test_a_string_and_its_knob_values_are_one_architecture() -> None:
    cnn = space()
    for arch in samples(cnn, 50):
        assert cnn.parse(cnn.format(arch)) == arch
        assert cnn.parse(str(arch.as_dict()).replace("'", '"')) == arch


@pytest.mark.parametrize(
    "text",
    [
        OFF_GRID,
        START.replace("(3,8,1,1)", "(3,8,2,1)"),
        START.replace("SuperConvK1BNRELU", "SuperConvK3BNRELU"),
        START.replace("64,128,1,1", "64,136,1,1"),
        "SuperConvK1BNRELU(3,8,1,1)",
    ],
)
def test_a_string_off_the_grid_can_be_built_counted_and_printed(text: str) -> None:
    cnn = space()
    arch = cnn.parse(text)
    assert list(arch.values) == ["structure"]
    assert cnn.format(arch) == text
    assert cnn.parse(f"arch: {{structure: '{text}'}}") == arch == cnn.parse(text.replace(",", " , "))
    with torch.device("meta"):
        assert cnn.cost(arch)["params"] == sum(p.numel() for p in cnn.build(arch).parameters())


def test_a_search_does_not_take_structures() -> None:
    with pytest.raises(ConfigError, match="no knob 'structure'"):
        space().architecture({"structure": OFF_GRID})


def test_a_string_for_other_images_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"takes 3 channels, but the images of 'cv/cnn' have 1 \(net.txt\)"):
        space(channels=1).parse(START, origin="net.txt")


def test_other_texts_are_refused_as_mappings_are() -> None:
    with pytest.raises(ConfigError, match="must hold a mapping"):
        space().parse("hello")
    with pytest.raises(ConfigError, match=r"no knob 'block9.type'"):
        space().parse("block9.type: K3K3")


@pytest.mark.parametrize("options", OPTIONS[:3])
def test_neighbours_change_one_knob_and_use_every_value_of_each(options: dict) -> None:
    cnn = space(**options)
    arch = samples(cnn, 1)[0]
    changes = set()
    for other in cnn.neighbours(arch):
        [(name, value)] = [(n, v) for n, v in other.values.items() if v != arch[n]]
        changes.add((name, value))
    assert changes == {(k.name, v) for k in cnn.knobs() for v in k.values if v != arch[k.name]}


def test_the_start_structure_has_one_neighbour_for_each_other_choice() -> None:
    cnn = space()
    neighbours = cnn.neighbours(cnn.parse(START))
    assert len(neighbours) == sum(len(knob.values) - 1 for knob in cnn.knobs())
    assert len({cnn.format(arch) for arch in neighbours}) == len(neighbours)


def test_a_mutation_that_redraws_nothing_is_a_uniform_neighbour() -> None:
    cnn = space()
    arch = cnn.parse(START)
    expected = {other.key for other in cnn.neighbours(arch)}
    rng = random.Random(5)
    draws = 10 * len(expected)
    seen = Counter(
        cnn.mutate(arch, rng, layer_probability=0, network_probability=0).key for _ in range(draws)
    )
    assert set(seen) == expected
    statistic = sum((count - 10) ** 2 / 10 for count in seen.values())
    freedom = len(expected) - 1
    # Four standard deviations of the chi-square distribution.
    assert statistic < freedom + 4 * (2 * freedom) ** 0.5


def test_the_key_of_a_structure_off_the_grid_does_not_depend_on_the_process() -> None:
    code = f"from denas_cv.cnn.space import CNN; print(CNN().named('cv/cnn').parse({OFF_GRID!r}).key)"
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert outputs == {f"{space().parse(OFF_GRID).key}\n"}


@pytest.mark.parametrize(("preset", "size"), [("micro", 4), ("cifar", 4), ("imagenet", 7)])
def test_presets_build_on_meta_with_the_usual_final_resolution(preset: str, size: int) -> None:
    cnn = space(**CNN.presets[preset])
    with torch.device("meta"):
        out = cnn.forward(cnn.build(cnn.smallest()), cnn.batch(2, seed=0, kind="cost"))
    assert out.features.shape[-2:] == (size, size)
    assert out.logits["logits"].shape == (2, cnn.classes)


def test_the_micro_preset_is_for_networks_of_a_few_hundred_thousand_parameters() -> None:
    cnn = space(**CNN.presets["micro"])
    params = sorted(cnn.cost(arch)["params"] for arch in samples(cnn, 200))
    assert cnn.cost(cnn.smallest())["params"] < 100e3 < params[10] < params[-10] < 1e6
    assert [knob.name for knob in cnn.knobs()] == [knob.name for knob in space().knobs()]


@pytest.mark.parametrize("seed", range(20))
def test_repair_reaches_a_budget_of_a_million_parameters(seed: int) -> None:
    problem = Problem(space(), [Constraint.parse("params<=1M")])
    rng = random.Random(seed)
    assert not problem.violations(problem.repair(problem.space.sample(rng), rng))


def test_batches_are_images_of_the_options() -> None:
    cnn = space(channels=1, image_size=28)
    assert cnn.batch(5, seed=0).inputs["x"].shape == (5, 1, 28, 28)


def test_the_reference_recipe_is_the_ratio_of_the_plain_network() -> None:
    recipe = space().reference_recipe()
    assert (recipe.arithmetic, recipe.variant, recipe.initialisation) == ("ratio", "plain", "normal")
    assert recipe.weights == {
        "expressivity": 1,
        "complexity": 1,
        "diversity": 0,
        "saliency": 1,
        "latency": 0,
    }
    assert recipe.batch_size == 64


def test_there_is_no_checkpoint_to_inherit_from() -> None:
    cnn = space()
    arch = cnn.smallest()
    with pytest.raises(ConfigError, match="no checkpoint"):
        cnn.load(cnn.build(arch), arch, seed=0, weights="inherited")


def test_options_that_only_widen_the_space_keep_the_keys_of_its_networks() -> None:
    narrow, wide = CNN(max_layers=2), CNN(max_layers=5, inverted=True)
    values = narrow.sample(random.Random(0)).as_dict()
    assert wide.architecture(values).key == narrow.architecture(values).key
    assert CNN(max_layers=2, classes=11).architecture(values).key != narrow.architecture(values).key


@pytest.mark.parametrize("change", [("8,16,1,8,1", "8,16,1,8,4"), ("SuperResK3K3(8", "SuperResIDWE6K5(8")])
def test_a_structure_has_one_key_whether_or_not_the_options_put_it_on_the_grid(change: tuple) -> None:
    text = START.replace(*change)
    off, on = space().parse(text), space(max_layers=4, inverted=True).parse(text)
    assert (list(off.values), len(on.values)) == (["structure"], 18)
    assert off.key == on.key != space().parse(START).key
    assert space().unchecked(off.values).key == off.key
    assert space(classes=11).parse(text).key != off.key


def test_a_budget_is_only_refused_where_the_ends_are_exact() -> None:
    beyond = [Constraint.parse("params<=20k")]
    with pytest.raises(Infeasible, match=r"the smallest has 22\.77k params"):
        reachable(beyond, CNN())
    assert reachable(beyond, CNN(squeeze_excitation=True)) == (beyond, {})
    assert reachable([Constraint.parse("memory_mb<=0.001")], CNN())[1] == {}
