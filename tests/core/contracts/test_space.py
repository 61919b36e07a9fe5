from __future__ import annotations

import dataclasses
import json
import random
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denas_core.contracts.space import SearchSpace
from denas_core.values.architecture import Architecture, Knob
from tests.core.conditional_space import Conditional, all_members, is_valid

SPACE = Conditional().named("toy/conditional")
MEMBERS = all_members(SPACE)
seeds = st.integers(0, 2**32)
archs = st.sampled_from(list(MEMBERS.values()))


def knob_values(values: dict[str, Any]) -> dict[str, Any]:
    return dict(zip((knob.name for knob in SPACE.knobs()), values, strict=True))


@given(st.tuples(*(st.sampled_from(knob.values) for knob in SPACE.knobs())).map(knob_values))
def test_canonical_drops_inactive_knobs_and_is_idempotent(values: dict[str, Any]) -> None:
    canonical = SPACE.canonical(values)
    assert is_valid(canonical)
    assert canonical.items() <= values.items()
    assert SPACE.canonical(canonical) == canonical


def test_size_counts_the_architectures() -> None:
    # Widths: 3 + 9 + 27; mixers: pool, and convolutions of kernel 3, or 5 and 7 with two dilations each.
    assert SPACE.size() == 39 * 6 == len(MEMBERS)
    assert Conditional(deepest=5).size() == (3 + 9 + 27 + 81 + 243) * 6


@given(seeds)
def test_a_sample_is_a_member_and_repeats_under_its_seed(seed: int) -> None:
    arch = SPACE.sample(random.Random(seed))
    assert arch.key in MEMBERS
    assert is_valid(arch.as_dict())
    assert SPACE.sample(random.Random(seed)).as_dict() == arch.as_dict()


def test_every_knob_is_sampled_uniformly() -> None:
    rng = random.Random(0)
    samples = [SPACE.sample(rng).as_dict() for _ in range(6000)]
    for knob in SPACE.knobs():
        drawn = Counter(arch[knob.name] for arch in samples if knob.name in arch)
        total, expected = drawn.total(), drawn.total() / len(knob.values)
        # Five standard deviations of the binomial count.
        spread = 5 * (total / len(knob.values) * (1 - 1 / len(knob.values))) ** 0.5
        assert all(abs(drawn[value] - expected) < spread for value in knob.values), knob.name


@given(archs, seeds, st.floats(0, 1), st.floats(0, 1))
def test_a_mutation_is_another_member(arch: Architecture, seed: int, layer: float, network: float) -> None:
    child = SPACE.mutate(arch, random.Random(seed), layer_probability=layer, network_probability=network)
    assert child.key in MEMBERS
    assert child != arch


def test_a_mutation_of_the_only_architecture_is_itself() -> None:
    space = Single()
    arch = space.sample(random.Random(0))
    assert space.mutate(arch, random.Random(0)) == arch
    assert space.neighbours(arch) == []


@given(archs, seeds)
def test_certain_mutation_changes_every_knob_that_stays(arch: Architecture, seed: int) -> None:
    child = SPACE.mutate(arch, random.Random(seed), layer_probability=1, network_probability=1)
    assert all(child[name] != value for name, value in arch.values.items() if name in child.values)


@given(archs, archs, seeds)
def test_a_child_takes_every_knob_from_a_parent(first: Architecture, second: Architecture, seed: int) -> None:
    child = SPACE.crossover(first, second, random.Random(seed))
    assert child.key in MEMBERS
    for name, value in child.values.items():
        assert value in (first.values.get(name), second.values.get(name))


def test_crossover_takes_from_either_parent_with_equal_probability() -> None:
    small, full = SPACE.smallest(), SPACE.full()
    depths = Counter(SPACE.crossover(small, full, random.Random(seed))["depth"] for seed in range(1000))
    assert depths[1] == pytest.approx(500, abs=80)
    assert depths[3] == 1000 - depths[1]


@given(archs, archs, st.lists(st.sampled_from([knob.name for knob in SPACE.knobs()])))
def test_a_blend_has_the_named_knobs_of_its_target(
    arch: Architecture, target: Architecture, names: list[str]
) -> None:
    blend = SPACE.blend(arch, target, names)
    assert blend.key in MEMBERS
    for name in blend.values:
        source = target if name in names and name in target.values else arch
        if name in source.values:
            assert blend[name] == source[name]


@given(archs)
def test_the_neighbours_are_every_architecture_one_knob_away(arch: Architecture) -> None:
    def is_neighbour(other: Architecture) -> bool:
        shared = [name for name in arch.values if name in other.values]
        changed = [name for name in shared if arch[name] != other[name]]
        middles = {knob.name: knob.values[len(knob.values) // 2] for knob in SPACE.knobs()}
        added = [name for name in other.values if name not in arch.values]
        return len(changed) == 1 and all(other[name] == middles[name] for name in added)

    neighbours = SPACE.neighbours(arch)
    keys = [other.key for other in neighbours]
    assert sorted(keys) == sorted(other.key for other in MEMBERS.values() if is_neighbour(other))


def test_mutation_that_redraws_nothing_is_a_uniform_neighbour() -> None:
    arch = SPACE.smallest()
    drawn = Counter(
        SPACE.mutate(arch, random.Random(seed), layer_probability=0, network_probability=0).key
        for seed in range(2000)
    )
    neighbours = SPACE.neighbours(arch)
    assert set(drawn) == {other.key for other in neighbours}
    expected = 2000 / len(neighbours)
    assert all(abs(count - expected) < 5 * expected**0.5 for count in drawn.values())


def test_the_ends_are_the_first_and_last_values() -> None:
    assert SPACE.smallest().as_dict() == {"depth": 1, "mixer": "pool", "width1": 8}
    assert SPACE.full().as_dict() == {
        **{"depth": 3, "mixer": "conv", "kernel": 7, "dilation": 2},
        **{"width1": 32, "width2": 32, "width3": 32},
    }


@given(archs)
def test_format_is_one_line_that_parse_reads_back(arch: Architecture) -> None:
    assert "\n" not in SPACE.format(arch)
    assert SPACE.parse(SPACE.format(arch)) == arch
    assert SPACE.parse(json.dumps({"arch": arch.as_dict(), "score": 3})) == arch


def test_keys_differ_by_id_options_and_values_and_not_by_the_order_of_values() -> None:
    values = {"depth": 1, "mixer": "pool", "width1": 8}
    arch = SPACE.architecture(values)
    assert SPACE.architecture(dict(reversed(values.items()))).key == arch.key
    assert len(MEMBERS) == len({tuple(other.values.items()) for other in MEMBERS.values()})
    assert Conditional().named("toy/other").architecture(values).key != arch.key
    assert Conditional(deepest=4).named("toy/conditional").architecture(values).key != arch.key


def test_a_number_that_equals_a_choice_is_that_choice() -> None:
    arch = SPACE.architecture({"depth": 1.0, "mixer": "pool", "width1": 8.0})
    assert arch == SPACE.smallest()
    assert type(arch["width1"]) is int


def test_keys_and_samples_are_the_same_in_every_process() -> None:
    code = (
        "import random; from tests.core.conditional_space import Conditional; "
        "space = Conditional().named('toy/conditional'); "
        "print(*(space.mutate(space.sample(random.Random(i)), random.Random(i)).key for i in range(5)))"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(filter(None, sys.path))},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4242")
    }
    assert printed == {
        " ".join(SPACE.mutate(SPACE.sample(random.Random(i)), random.Random(i)).key for i in range(5)) + "\n"
    }


@dataclasses.dataclass(kw_only=True)
class Single(SearchSpace):
    """A space of one architecture."""

    def knobs(self) -> tuple[Knob, ...]:
        return (Knob("only", (1,)),)

    def build(self, arch: Architecture, **kwargs: Any) -> Any:
        raise NotImplementedError

    def batch(self, size: int, **kwargs: Any) -> Any:
        raise NotImplementedError


def test_torch_is_not_needed_to_search_a_space() -> None:
    code = (
        "import random, sys; from tests.core.conditional_space import Conditional; "
        "Conditional().sample(random.Random(0)); print('torch' in sys.modules)"
    )
    path = ":".join(filter(None, sys.path))
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": path}, capture_output=True, text=True
    )
    assert done.stdout == "False\n", done.stderr
