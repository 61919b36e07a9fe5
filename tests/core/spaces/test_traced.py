"""Search spaces that are found in plain networks."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import cloudpickle
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import denas_core
from denas_core.errors import ConfigError
from denas_core.spaces.traced import TracedSpace, space_of
from denas_core.testing import SpaceTests

from .networks import NETWORKS, Bottleneck, Ending, Inverted, ResNet, conv
from .transformers import TransformerBlock

GROUPS = {
    "ResNet, basic blocks": 7,
    "ResNet, bottlenecks": 11,
    "VGG": 5,
    "DenseNet": 10,
    "MobileNetV2": 8,
    "SqueezeNet": 10,
    "Inception": 8,
    "ShuffleNetV2": 2,
    "EfficientNet": 13,
    "ConvNeXt": 6,
    "U-Net": 7,
    "MLP-Mixer": 7,
    "ViT": 7,
    "RegNet": 3,
    "MLP": 2,
    "TCN": 4,
    "CRNN": 2,
    "GoogLeNet": 8,
    "ResNeXt": 7,
    "FCN": 3,
}
"""Groups of channels that can shrink, counted by hand in the code of each network."""


def made(build: Callable[[], nn.Module]) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build()
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.uniform_(module.running_mean)  # type: ignore[arg-type]
                nn.init.uniform_(module.running_var, 0.5, 2.0)  # type: ignore[arg-type]
        return network.eval()


def inherited(space: TracedSpace, arch: denas_core.Architecture) -> nn.Module:
    return space.load(space.build(arch), arch, seed=0, weights="inherited").eval()


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


class TestTracedSpace(SpaceTests):
    skips: ClassVar[dict[str, str]] = {
        "keys_are_the_same_in_every_process": "its network is no option; a copy has the same keys, see below",
        "portable_options_make_the_same_networks": "its network is no option",
    }

    def make(self) -> TracedSpace:
        return space_of(made(ResNet), torch.zeros(2, 3, 16, 16))


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_is_searched(name: str) -> None:
    build, shape = NETWORKS[name]
    network, inputs = made(build), torch.randn(2, *shape, generator=torch.Generator().manual_seed(1))
    space = space_of(network, inputs)
    assert len([knob for knob in space.knobs() if knob.name.endswith(".width")]) == GROUPS[name]
    expected = network(inputs)
    assert torch.equal(inherited(space, space.full())(inputs), expected)
    smallest = inherited(space, space.smallest())
    assert count(smallest) < 0.75 * count(network)
    for arch in (space.smallest(), *(space.sample(random.Random(seed)) for seed in range(6))):
        member = inherited(space, arch)
        assert member(inputs).shape == expected.shape
        assert space.cost(arch)["params"] == count(member)
        out = member.train()(inputs)
        sum(part.sum() for part in (out if isinstance(out, tuple) else [out])).backward()


def test_a_cut_network_computes_what_the_whole_one_does_without_those_channels() -> None:
    network, inputs = made(lambda: nn.Sequential(conv(3, 8), conv(8, 6), Ending(6))), torch.randn(2, 3, 8, 8)
    space = space_of(network, inputs, fractions=[0.5])
    small = inherited(space, space.smallest())
    for group, (layer, norm, reader) in {
        "0.0": (network[0][0], network[0][1], network[1][0]),  # type: ignore[index]
        "1.0": (network[1][0], network[1][1], network[2][2]),  # type: ignore[index]
    }.items():
        squares = layer.weight.square().sum((1, 2, 3)) + norm.weight**2 + norm.bias**2
        squares = squares + norm.running_mean**2 + norm.running_var**2
        squares = squares + reader.weight.square().sum([d for d in range(reader.weight.dim()) if d != 1])
        keep = squares.sort(descending=True).indices[: int(space.smallest()[f"{group}.width"])]
        gone = [channel for channel in range(len(squares)) if channel not in keep]
        with torch.no_grad():
            reader.weight[:, gone] = 0
    assert torch.allclose(small(inputs), network(inputs), atol=1e-6)


def test_heads_are_removed_whole() -> None:
    block = made(lambda: nn.Sequential(nn.Linear(5, 12), TransformerBlock(12, 3), nn.Linear(12, 2)))
    inputs = torch.randn(2, 7, 5)
    space = space_of(block, inputs)
    arch = space.architecture({**space.full().as_dict(), "1.attn.qkv.width": 2})
    member: Any = inherited(space, arch)
    attention: Any = member[1].attn
    assert (attention.num_heads, attention.head_dim, attention.qkv.out_features) == (2, 4, 24)
    whole: Any = block[1].attn
    squares = whole.qkv.weight.square().sum(1).view(3, 3, 4).sum((0, 2)) + whole.qkv.bias.square().view(
        3, 3, 4
    ).sum((0, 2))
    squares = squares + whole.proj.weight.square().sum(0).view(3, 4).sum(1)
    gone = int(squares.argmin())
    with torch.no_grad():
        whole.proj.weight[:, 4 * gone : 4 * gone + 4] = 0
    assert torch.allclose(member(inputs), block(inputs), atol=1e-6)


def test_blocks_are_left_out_from_the_end() -> None:
    network = made(ResNet)
    space = space_of(network, torch.zeros(2, 3, 16, 16))
    arch = space.architecture({**space.full().as_dict(), "layer1.depth": 2})
    assert "layer1.2.first.0.width" not in arch.values
    inputs = torch.randn(2, 3, 16, 16)
    network.layer1[2] = nn.Identity()  # type: ignore[index,operator]
    assert torch.equal(inherited(space, arch)(inputs), network(inputs))


def test_a_depthwise_convolution_and_groups_follow() -> None:
    inverted = made(lambda: nn.Sequential(conv(3, 8), Inverted(8, 12, 1, False), Ending(12)))
    space = space_of(inverted, torch.zeros(2, 3, 8, 8))
    arch = space.architecture({**space.full().as_dict(), "1.body.0.0.width": 8})
    depthwise: Any = inherited(space, arch)[1].body[1][0]  # type: ignore[index]
    assert (depthwise.groups, depthwise.in_channels, depthwise.out_channels) == (8, 8, 8)
    grouped = made(lambda: nn.Sequential(conv(3, 8), Bottleneck(8, 16, 8, 1, 4), Ending(8)))
    space = space_of(grouped, torch.zeros(2, 3, 8, 8))
    arch = space.architecture({**space.full().as_dict(), "1.body.0.0.width": 2})
    inner: Any = inherited(space, arch)[1].body[1][0]  # type: ignore[index]
    assert (inner.groups, inner.in_channels, inner.out_channels) == (2, 8, 8)


def test_a_copy_in_another_process_has_the_same_keys_and_weights() -> None:
    first = space_of(made(ResNet), torch.zeros(2, 3, 16, 16))
    second = cloudpickle.loads(cloudpickle.dumps(first))
    arch = first.sample(random.Random(0))
    assert second.architecture(arch.as_dict()).key == arch.key
    inputs = torch.randn(2, 3, 16, 16)
    assert torch.equal(inherited(first, arch)(inputs), inherited(second, arch)(inputs))


def test_a_search_and_its_resume(tmp_path: Path) -> None:
    network, inputs = made(ResNet), torch.zeros(2, 3, 16, 16)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    options: dict[str, Any] = {"constraints": ["params<=0.5x"], "device": "cpu", "out": tmp_path / "run"}
    result = denas_core.search(denas_core.space_of(network, inputs), budget=4, **options)
    assert result.best.evaluation.metrics["params"] <= count(network) / 2
    space = denas_core.space_of(network, inputs)
    assert denas_core.resume(tmp_path / "run", budget=6, objects={"space": space}).counts["scored"] == 6
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    with torch.no_grad():
        network.stem[0].weight.zero_()  # type: ignore[index,union-attr,operator]
    other = denas_core.space_of(network, inputs)
    with pytest.raises(ConfigError, match=r"cannot go on with space.digest: "):
        denas_core.resume(tmp_path / "run", objects={"space": other})


def test_a_task_can_replace_the_last_linear_layer() -> None:
    space = space_of(made(ResNet), torch.zeros(2, 3, 16, 16))
    arch = space.full()
    network = space.build(arch, head=nn.Linear(16, 3))
    assert space.load(network, arch, seed=0)(torch.zeros(2, 3, 16, 16)).shape == (2, 3)


class Deciding(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x) if x.sum() > 0 else x


class Constant(nn.Module):
    """A network whose shapes are written as numbers, so that no channel can be left out."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(4, 8), nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(functional.relu(self.first(x)).view(-1, 8))


def with_nan() -> nn.Module:
    layer = nn.Linear(4, 2)
    nn.init.constant_(layer.weight, float("nan"))
    return layer


@pytest.mark.parametrize(
    ("network", "text"),
    [
        (
            Deciding,
            r"decides by the values of its inputs \(\w+ in .*test_traced.py:\d+: return self.layer\(x\) if x",
        ),
        (Constant, "nothing can be left out of the network Constant"),
        (with_nan, "weight 'weight' of the network Linear holds numbers that are not finite"),
        (
            lambda: nn.Linear(5, 2),
            r"the network Linear does not run on inputs of the shape \[2, 4\]: RuntimeError",
        ),
        (
            lambda: nn.Linear(4, 2, device="meta"),
            "weight 'weight' of the network Linear is on the meta device",
        ),
        (lambda: torch.relu, "space_of needs an nn.Module, not <built-in method relu"),
        (
            lambda: nn.GRU(4, 4, batch_first=True),
            "the network GRU returns a tuple of Tensor, Tensor|nothing can be",
        ),
    ],
)
def test_what_cannot_be_shrunk_is_refused(network: Callable[[], Any], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        space_of(network(), torch.ones(2, 4))


def test_fractions_are_checked() -> None:
    with pytest.raises(ConfigError, match=r"fractions \[0.5, 2\] must be above 0, and at most 1"):
        space_of(made(ResNet), torch.zeros(2, 3, 16, 16), fractions=[0.5, 2])


def test_the_summary_says_what_stays_whole() -> None:
    build, shape = NETWORKS["ShuffleNetV2"]
    text = space_of(made(build), torch.zeros(2, *shape)).summary()
    assert "2 groups of channels: 1.body.0.0 (8), 2.body.0.0 (8)" in text
    assert "stay whole, because smaller networks do not run: 0.0" in text
