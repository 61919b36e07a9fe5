"""The space of speech transformers: published counts, notation, cost, options, views, latency."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import nn

from denas_asr.transformer.space import Transformer
from denas_core.cli import _run
from denas_core.errors import ConfigError
from denas_core.networks.heads import PositionHead
from denas_core.registry.options import make_component
from denas_core.registry.registry import Registry
from denas_core.setup.config import make_config
from denas_core.setup.setup import Setup
from denas_core.values.architecture import Architecture
from denas_core.values.latency import Latency
from tests.asr.tiny_spaces import SIZES

ORIGINAL = "(5, 3.0, 5.0, 4.0, 5.0, 3.0, 3, 3, 3, 4, 2, 216)"


def make(**options: Any) -> Transformer:
    space: Transformer = make_component(Transformer, options, id="asr/transformer")
    return space


def test_the_published_network_counts_the_same() -> None:
    """The original counts projection, encoder, target embedding and decoder; we count front-end and heads too."""
    space = make()
    arch = space.parse(ORIGINAL)
    cost = space.cost(arch)
    assert cost["params_reference"] == 11_750_592
    assert cost["params_front_end"] == 125_248
    assert cost["params_heads"] == 2 * 5000 * 217
    assert cost["params_encoder"] + cost["params_decoder"] == cost["params_reference"]
    assert cost["params"] == 11_750_592 + 125_248 + 2 * 5000 * 217
    with torch.device("meta"):
        assert sum(parameter.numel() for parameter in space.build(arch).parameters()) == cost["params"]


def test_the_count_is_that_of_a_formula_worked_out_by_hand() -> None:
    d, hidden = 216, [648, 1080, 864, 1080, 648]
    attention = 4 * d * (d + 1)
    encoder = sum(attention + 2 * d * f + f + d + 4 * d for f in hidden) + 2 * d
    decoder = 6 * (2 * attention + 2 * d * 2048 + 2048 + d + 6 * d) + 2 * d
    assert 1280 * d + d + encoder + 5000 * d + decoder == 11_750_592


def test_the_smallest_micro_network_counts_what_a_formula_does() -> None:
    space = make(**Transformer.presets["micro"])
    d, f, hidden, channels, symbols = 64, 64, 256, 32, 32
    bands = 20, 10, 10, 10
    front_end = 25 * channels + 25 * channels**2 + 2 * channels**2 + 4 * channels + 2 * sum(bands) * channels
    attention = 4 * d * (d + 1)
    encoder = (10 * channels + 1) * d + 4 * (attention + 2 * d * f + f + d + 4 * d) + 2 * d
    decoder = symbols * d + 2 * attention + 2 * d * hidden + hidden + d + 6 * d + 2 * d
    heads = 2 * (d + 1) * symbols
    assert space.cost(space.smallest())["params"] == front_end + encoder + decoder + heads == 226_400
    assert space.cost(space.full())["params"] < make().cost(make().smallest())["params"]


def test_the_space_is_that_of_the_original() -> None:
    space = make()
    assert space.cost(space.smallest())["params_reference"] == 9_579_072
    assert space.cost(space.full())["params_reference"] == 56_410_500
    # Fifteen kinds of block, in networks of 5 to 12 of them, by six widths.
    assert space.size() == 6 * sum(15**depth for depth in range(5, 13))


def test_the_tuple_of_the_original_is_read_and_written() -> None:
    space = make()
    arch = space.parse(f" [{ORIGINAL[1:-1]}] \n")
    assert space.format(arch) == ORIGINAL
    assert space.parse(space.format(arch)) == space.parse(ORIGINAL)
    values = {f"layer{i}.{n}": arch[f"layer{i}.{n}"] for i in range(1, 6) for n in ("mlp_ratio", "heads")}
    assert space.parse(str({"depth": 5, "embed_dim": 216, **values}).replace("'", '"')) == arch
    with pytest.raises(ConfigError, match="knob 'embed_dim' of 'asr/transformer' cannot be 217"):
        space.parse(ORIGINAL.replace("216", "217"), origin="--arch")


def test_heads_that_cannot_share_the_width_become_the_nearest_that_can() -> None:
    space = make(embed_dims=[8, 12], heads=[2, 3, 4], depths=[1], decoder_heads=2)
    found = {
        (width, heads): space.parse(f"(1, 3.0, {heads}, {width})")["layer1.heads"]
        for width in (8, 12)
        for heads in (2, 3, 4)
    }
    # Three is as near to two as to four.
    assert found == {(8, 2): 2, (8, 3): 2, (8, 4): 4, (12, 2): 2, (12, 3): 3, (12, 4): 4}
    assert space.parse("(1, 3.0, 3, 8)") == space.parse("(1, 3.0, 2, 8)")


def test_the_cost_is_that_of_the_whole_network_on_the_meta_device() -> None:
    """Over sizes of which each may decide the peak of memory."""
    rng = random.Random(0)
    for _ in range(12):
        heads = rng.choice([1, 2, 4])
        options = {
            "depths": [1, 2, 3],
            "embed_dims": sorted(rng.sample([8, 16, 24, 64], 2)),
            "mlp_ratios": [0.5, rng.uniform(1, 9)],
            "heads": sorted({1, heads}),
            "vocabulary": rng.choice([4, 300]),
            "channels": rng.choice([1, 6]),
            "mels": rng.randint(1, 30),
            "decoder_layers": rng.choice([1, 2]),
            "decoder_heads": rng.choice([1, 8]),
            "decoder_hidden": rng.choice([5, 200]),
            "seconds": rng.choice([0.01, 0.3, 3.0]),
        }
        space = make(**options)
        for arch in (space.sample(rng), space.sample(rng)):
            assert space.cost(arch) == space.counted_cost(arch), (options, arch.as_dict())


@pytest.mark.parametrize("arch", [ORIGINAL, "smallest", "full"])
def test_the_cost_of_real_sizes_is_that_of_the_whole_network(arch: str) -> None:
    space = make()
    chosen = space.parse(arch) if arch == ORIGINAL else getattr(space, arch)()
    assert space.cost(chosen) == space.counted_cost(chosen)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"depths": [3, 2]}, r"depths \[3, 2\] must be one or more different numbers, from small to large"),
        ({"heads": []}, r"heads \[\] must be one or more different numbers"),
        ({"embed_dims": [0, 8]}, "embed_dims has 0; a choice must be more than 0, and at most 8192"),
        ({"heads": [3, 4], "embed_dims": [202]}, r"202, which none of the heads \[3, 4\] divides"),
        ({"embed_dims": [198]}, "embed_dims has 198, which decoder_heads 4 does not divide"),
        ({"vocabulary": 3}, "vocabulary.* greater than or equal to 4"),
    ],
)
def test_options_that_do_not_fit_together_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make(**options)


def test_options_that_change_no_network_keep_its_key() -> None:
    key = make().parse(ORIGINAL).key
    same = {"probe_frames": 6, "dropout": 0.2, "depths": [5], "embed_dims": [216]}
    for name, value in same.items():
        assert make(**{name: value}).parse(ORIGINAL).key == key, name
    other = {"vocabulary": 30, "mels": 40, "channels": 8, "decoder_hidden": 9, "seconds": 3.0}
    for name, value in other.items():
        assert make(**{name: value}).parse(ORIGINAL).key != key, name


def test_batches_are_as_long_as_the_options_say() -> None:
    space = make(seconds=2.5, probe_frames=40, vocabulary=9, mels=6)
    noise, ones = space.batch(3, seed=0), space.batch(3, seed=0, kind="ones")
    assert noise.inputs["features"].shape == (3, 250, 6)
    assert noise.inputs["tokens"].shape == (3, 9)
    assert noise.units == {"samples": 3.0, "audio_seconds": 7.5}
    assert ones.inputs["features"].shape == (3, 40, 6)
    # A pass counts encoded frames.
    assert (noise.positions, ones.positions) == (63, 10)
    # About a symbol for each third of a second, behind the beginning.
    assert ones.inputs["tokens"].tolist() == [[1, 3]] * 3
    assert noise.inputs["tokens"][:, 0].tolist() == [1] * 3
    assert make().probe_samples == 1


@pytest.mark.parametrize("head", [None, PositionHead(16, 7), nn.Linear(16, 7)], ids=["own", "task", "other"])
def test_views_name_every_matrix_and_its_layer(head: nn.Module | None) -> None:
    space = make(**SIZES)
    arch = space.parse("(1, 1.5, 2, 16)")
    with torch.device("meta"):
        model = space.build(arch, head=head)
    shapes = dict(model.named_parameters())
    found = [(v.kind, v.layer, tuple(v.of(shapes[v.parameter]).shape)) for v in space.views(model)]
    attention = [*((f"attention.{part}", (16, 16)) for part in ("q", "k", "v", "out"))]
    front = [
        ("conv", (3, 1, 5, 5)),
        ("conv", (3, 3, 5, 5)),
        ("conv", (3, 3, 1, 1)),
        ("conv", (3, 3, 1, 1)),
    ]
    projection = [("embed", (16, 9))]
    encoder = [*attention, ("ffn.in", (24, 16)), ("ffn.out", (16, 24))]
    decoder = [*attention, *attention, ("ffn.in", (20, 16)), ("ffn.out", (16, 20))]
    symbols = 11 if head is None else 7
    if isinstance(head, nn.Linear) and not isinstance(head, PositionHead):
        layers, last = [[*front, *projection], encoder], [("head", (7, 16))]
    else:
        layers = [[*front, *projection, ("embed", (symbols, 16))], encoder, decoder, decoder]
        last = [("head", (symbols, 16))] * 2
    expected = [(kind, layer, shape) for layer, views in enumerate([*layers, last]) for kind, shape in views]
    assert found == expected
    matrices = {name for name, parameter in shapes.items() if parameter.dim() > 1}
    assert {view.parameter for view in space.views(model)} == matrices


def test_the_real_time_factor_is_seconds_of_work_by_seconds_of_speech() -> None:
    space = make()
    latency = Latency(median=80.0, low=60.0, high=100.0, verdict="stable", rounds=30, relative=1.5)
    found = space.latency_metrics(latency, space.batch(2, seed=0).units)
    assert (
        set(found) == {"latency_ms", *(metric.name for metric in space.metrics)}
        and found["latency_ms"] == latency
    )
    rtf = found["rtf"]
    assert (rtf.low, rtf.median, rtf.high) == pytest.approx((0.003, 0.004, 0.005))
    assert (rtf.verdict, rtf.rounds, rtf.relative) == ("stable", 30, 1.5)
    with pytest.raises(ConfigError, match="the probe does not say how many seconds of speech"):
        space.latency_metrics(latency, {"samples": 2.0})


def test_the_recipe_is_that_of_the_original() -> None:
    recipe = make().reference_recipe()
    assert recipe.arithmetic == "sum"
    assert {name: weight for name, weight in recipe.weights.items() if weight} == {
        "diversity": 1.0,
        "saliency": 1.0,
    }
    assert recipe.diversity == ("attention",) and recipe.saliency == {"ffn": 1}
    assert (recipe.batch_size, recipe.synaptic_batch_size, recipe.initialisation) == (32, 32, "fresh")


def test_the_space_can_be_searched_without_torch() -> None:
    code = (
        "import sys, denas_asr, denas_asr.plugin, denas_asr.transformer.space as s, random\n"
        "space = s.Transformer().named('asr/transformer'); space.sample(random.Random(0))\n"
        "space.reference_recipe(); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr


def test_the_command_lines_say_the_real_time_factor(capsys: pytest.CaptureFixture[str]) -> None:
    options = {name: SIZES[name] for name in ("depths", "vocabulary", "mels", "channels", "seconds")}
    settings = {**options, "embed_dims": [12], "decoder_layers": 1, "decoder_heads": 2}
    arguments = [f"--set=space.{name}={json.dumps(value)}" for name, value in settings.items()]
    arguments += ["--set=probe.min_rounds=6", "--set=probe.max_rounds=6", "--arch", "(1, 3.0, 2, 12)"]
    for command in ("latency", "score"):
        assert _run([command, "asr/transformer", *arguments, "--json"], debug=True) == 0
        document = json.loads(capsys.readouterr().out)
        metrics = document["metrics"]
        assert metrics["rtf"] == pytest.approx(metrics["latency_ms"] / 1000 / SIZES["seconds"])
        assert _run([command, "asr/transformer", *arguments], debug=True) == 0
        assert "rtf" in capsys.readouterr().out


def test_a_predicted_real_time_factor_is_known_like_a_count() -> None:
    class Flops:
        def predict(self, arch: Architecture) -> Latency:
            ms = space.cost(arch)["flops"] / 1e6
            return Latency(median=ms, low=ms, high=ms, verdict="predicted", rounds=0)

    config = make_config(
        {"space": {"name": "asr/transformer:micro"}, "constraints": ["rtf<=0.3x"]}, origin="a test"
    )
    setup = Setup.from_config(config, Registry.discover())
    space = setup.space
    assert setup.probe is not None and setup.unpredictable == []
    setup.predict_latency(Flops())
    full = space.full()
    assert full is not None
    known = setup.problem.cost(full)
    assert known["latency_ms"] == space.cost(full)["flops"] / 1e6
    assert known["rtf"] == pytest.approx(known["latency_ms"] / 1000 / space.options()["seconds"])
    setup.resolve_latency_bounds(
        {"rtf": {"median": known["rtf"], "low": 0.0, "high": 1.0, "verdict": "stable"}}
    )
    (bound,) = setup.problem.constraints
    assert not bound.is_measured and bound.bound == pytest.approx(0.3 * known["rtf"])
    assert setup.problem.violations(full)
    repaired = setup.problem.repair(full, random.Random(0))
    assert setup.problem.cost(repaired)["rtf"] <= bound.bound
