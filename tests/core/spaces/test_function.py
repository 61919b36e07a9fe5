"""A search over the networks that a user's function builds."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any, ClassVar

import cloudpickle
import pytest
import torch
from torch import nn

import denas_core
from denas_core.errors import ConfigError
from denas_core.runs.files import read_run
from denas_core.spaces.function import FunctionSpace, space_from_function
from denas_core.testing import SpaceTests

KNOBS: dict[str, Any] = {
    "depth": [1, 2],
    "width": range(8, 33, 8),
    "act": ["relu", "gelu"],
    "kernel": {"values": [1, 3], "when": {"act": ["gelu"]}},
}
IMAGES = torch.zeros(1, 3, 8, 8)


def build(depth: int, width: int, act: str, kernel: int = 3, head: nn.Module | None = None) -> nn.Module:
    activation = {"relu": nn.ReLU, "gelu": nn.GELU}[act]
    body = [nn.Conv2d(3, width, kernel, padding=kernel // 2), activation()]
    for _ in range(depth):
        body += [nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width), activation()]
    last = nn.Linear(width, 10) if head is None else head
    return nn.Sequential(*body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), last)


def space() -> FunctionSpace:
    return space_from_function(build, knobs=KNOBS, inputs=IMAGES)


class TestFunctionSpace(SpaceTests):
    skips: ClassVar[dict[str, str]] = {
        "keys_are_the_same_in_every_process": "its function is no option; a copy has the same keys, see below",
        "portable_options_make_the_same_networks": "its function is no option",
    }

    def make(self) -> FunctionSpace:
        return space()


def search(out: Path, **changes: Any) -> denas_core.SearchResult:
    given = {"build": build, "knobs": KNOBS, "inputs": IMAGES, "score": "scores/params", "budget": 6}
    return denas_core.search(**{**given, "device": "cpu", "out": out, **changes})


def test_a_search_over_a_function_keeps_its_bounds_and_goes_on(tmp_path: Path) -> None:
    result = search(tmp_path / "run", constraints=["params<=0.5x"])
    largest = sum(p.numel() for p in build(2, 32, "gelu", 3).parameters())
    best = result.best
    assert best.evaluation.metrics["params"] <= largest / 2
    made = build(**best.arch.as_dict())
    assert best.evaluation.metrics["params"] == sum(p.numel() for p in made.parameters())
    assert (tmp_path / "run/report.html").is_file()
    again = denas_core.resume(tmp_path / "run", budget=8, build=build, knobs=KNOBS, inputs=IMAGES)
    assert again.counts["scored"] == 8
    whole = search(tmp_path / "whole", constraints=["params<=0.5x"], budget=8)
    keys = [trial.arch.key for trial in read_run(tmp_path / "run").trials()]
    assert keys == [trial.arch.key for trial in read_run(tmp_path / "whole").trials()]
    assert whole.best.arch == again.best.arch


def test_a_resume_needs_the_function_and_the_same_one(tmp_path: Path) -> None:
    search(tmp_path / "run", budget=2)
    with pytest.raises(
        ConfigError, match=r"is the class or function '.*:build' of somebody's own; resume it"
    ):
        denas_core.resume(tmp_path / "run", budget=3)
    with pytest.raises(ConfigError, match=r"cannot go on with space.choices.depth: \[1, 2\] -> \[1, 3\]"):
        denas_core.resume(tmp_path / "run", build=build, knobs={**KNOBS, "depth": [1, 3]}, inputs=IMAGES)
    with pytest.raises(ConfigError, match="knobs is missing"):
        denas_core.resume(tmp_path / "run", build=build, inputs=IMAGES)


def test_workers_get_the_function_of_a_notebook(tmp_path: Path) -> None:
    def local(width: int) -> nn.Module:
        return nn.Sequential(nn.Linear(4, width), nn.Linear(width, 2))

    options: dict[str, Any] = {"build": local, "knobs": {"width": [2, 3, 4]}, "inputs": torch.zeros(1, 4)}
    executor = {"name": "builtin/process", "workers": 1}
    result = search(tmp_path / "run", **options, budget=3, executor=executor)
    assert sorted(trial.arch["width"] for trial in result.ranked) == [2, 3, 4]


def test_a_copy_in_another_process_has_the_same_keys_and_weights() -> None:
    first = space()
    second = cloudpickle.loads(cloudpickle.dumps(first))
    arch = first.sample(random.Random(0))
    assert second.architecture(arch.as_dict()).key == arch.key
    weights = [one.load(one.build(arch), arch, seed=3).state_dict().values() for one in (first, second)]
    assert all(torch.equal(a, b) for a, b in zip(*weights, strict=True))


def test_weights_are_those_of_the_function_with_the_seed() -> None:
    def scaled(width: int) -> nn.Module:
        layer = nn.Linear(4, width)
        nn.init.normal_(layer.weight, std=100.0)
        return layer

    made = space_from_function(scaled, knobs={"width": [2, 3]}, inputs=torch.zeros(1, 4))
    arch = made.full()
    with torch.device("meta"):
        network = made.build(arch)
    before = torch.get_rng_state()
    loaded = made.load(network, arch, seed=7)
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(7)
    assert torch.equal(loaded.state_dict()["weight"], scaled(3).weight)


def test_the_order_of_values_does_not_matter() -> None:
    def shrinking(divisor: int, act: str) -> nn.Module:
        return nn.Sequential(nn.Linear(4, 64 // divisor), nn.ReLU() if act == "relu" else nn.GELU())

    knobs = {"divisor": [1, 2, 4], "act": ["relu", "gelu"]}
    made = space_from_function(shrinking, knobs=knobs, inputs=torch.zeros(1, 4))
    assert (made.smallest()["divisor"], made.full()["divisor"]) == (4, 1)


def test_a_constructor_that_fails_on_the_meta_device_is_run_on_the_processor() -> None:
    def rates(depth: int) -> nn.Module:
        return nn.Sequential(
            *(nn.Dropout(rate.item()) for rate in torch.linspace(0, 0.5, depth)), nn.Linear(4, 2)
        )

    made = space_from_function(rates, knobs={"depth": [2, 3]}, inputs=torch.zeros(1, 4))
    assert made.cost(made.full())["params"] == 10


def test_inputs_may_be_several_by_name_and_drawn() -> None:
    class Two(nn.Module):
        def __init__(self, width: int) -> None:
            super().__init__()
            self.words, self.last = nn.Embedding(9, width), nn.Linear(width + 3, 2)

        def forward(self, *, ids: torch.Tensor, facts: torch.Tensor) -> dict[str, torch.Tensor]:
            return {"logits": self.last(torch.cat([self.words(ids).mean(1), facts], 1))}

    def draw(size: int) -> dict[str, torch.Tensor]:
        return {"ids": torch.randint(9, (size, 5)), "facts": torch.rand(size, 3)}

    for inputs in (draw, draw(4)):
        made = space_from_function(Two, knobs={"width": [2, 4]}, inputs=inputs)
        batch = made.batch(6, seed=1)
        assert batch.inputs["ids"].shape == (6, 5)
        assert batch.inputs["ids"].max() < 9
        assert batch.perturbable == ("facts",)
        arch = made.full()
        network = made.load(made.build(arch), arch, seed=0)
        assert made.forward(network, batch).logits["logits"].shape == (6, 2)


def broken(width: int) -> nn.Module:
    raise ValueError(f"no width {width}")


def nothing(width: int) -> None:
    return None


def in_words(width: int) -> nn.Module:
    return nn.Identity() if width == 1 else nn.LSTM(4, 4, batch_first=True)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"build": broken}, r"broken\(width=1\) raised ValueError: no width 1"),
        ({"build": nothing}, r"nothing\(width=1\) returned None; it must return an nn.Module"),
        ({"build": in_words}, "the network LSTM returns a tuple of Tensor, tuple; it must return a tensor"),
        (
            {"build": lambda width: nn.Linear(5, width)},
            r"does not run on inputs of the shape \[2, 4\]: RuntimeError",
        ),
        ({"build": lambda size: nn.Linear(4, size)}, "has no argument 'width', which is a knob; it has size"),
        ({"build": 3}, "build must be a function that returns a network, not 3"),
        ({"knobs": {"width": [4]}}, r"knob 'width' has 1 value, \[4\]; give it two or more"),
        ({"knobs": {"width": []}}, r"knob 'width' has 0 values, \[\]"),
        ({"knobs": {"width": {4, 8}}}, r"knob 'width' must have a list of values, not \{8, 4\}"),
        (
            {"knobs": {"width": [[4], [8]]}},
            r"knob 'width' has the value \[4\], which is a list; values are numbers",
        ),
        ({"knobs": {"width": [4, 4]}}, "lists a value twice"),
        ({"knobs": {"a width": [4, 8]}}, "knob 'a width' must have the name of an argument"),
        ({"knobs": {}}, r"knobs must be a mapping of names to values, not \{\}"),
        ({"knobs": {"width": {"values": [4, 8], "if": 1}}}, "must be a list of values, or have the form"),
        (
            {"inputs": torch.tensor(1.0)},
            r"input 'x' has the shape \[\]; its first dimension must be the sample",
        ),
        ({"inputs": "cifar10"}, "inputs must be a tensor, a sequence or a mapping of tensors"),
        (
            {"inputs": lambda size: 1 / 0},
            "the function for inputs raised ZeroDivisionError: division by zero for 2",
        ),
        ({"inputs": None}, "needs build, knobs and inputs; inputs is missing"),
        ({"space": "cv/cnn"}, "give either a space or build, knobs, inputs, and not both"),
        (
            {"build": None, "knobs": None, "inputs": None},
            "needs a space, or a function with build, knobs and inputs",
        ),
    ],
    ids=lambda value: str(value)[:30] if isinstance(value, str) else None,
)
def test_what_cannot_be_searched_is_refused(changes: dict[str, Any], text: str, tmp_path: Path) -> None:
    def linear(width: int) -> nn.Module:
        return nn.Linear(4, width)

    given = {"build": linear, "knobs": {"width": [1, 2]}, "inputs": torch.zeros(1, 4), **changes}
    with pytest.raises(ConfigError, match=text):
        denas_core.search(**given, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
