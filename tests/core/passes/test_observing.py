"""What a pass observes: gradients by inputs, signs, moments and blocks, each against a computation of its own."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from denas_core import Batch, Candidate, Knob, PassSpec, ScoreFailed, SearchSpace, continuous_batch
from denas_core.networks.blocks import blocks_by_module
from denas_core.values.passes import joined_passes

EVERYTHING = PassSpec(
    size=4, readout="sum", gradients="inputs", observe=("block gradients", "moments", "signs")
)


class Block(nn.Module):
    def __init__(self, channels: int, out: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, out, 3, stride=stride, padding=1)
        self.act = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.conv(x))


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stages = nn.Sequential(
            nn.Sequential(Block(3, 4, 1), Block(4, 4, 1)), nn.Sequential(Block(4, 6, 2))
        )
        self.head = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Any:
        features = self.stages(x)
        return features, self.head(features.mean((2, 3)))


class Tokens(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(11, 8)
        self.places = nn.Embedding(5, 8)
        self.layers = nn.ModuleList(
            [nn.TransformerEncoderLayer(8, 2, 16, batch_first=True) for _ in range(2)]
        )
        self.head = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Any:
        features = self.words(x) + self.places(torch.arange(x.shape[1]))
        for layer in self.layers:
            features = layer(features)
        return features, self.head(features.mean(1))


@dataclasses.dataclass(kw_only=True)
class Images(SearchSpace):
    def knobs(self) -> tuple[Knob, ...]:
        return (Knob("unused", (0, 1)),)

    def build(self, arch: Any, *, head: nn.Module | None = None, variant: str = "full") -> nn.Module:
        return Net()

    def batch(self, size: int, *, seed: int, kind: Any = "noise") -> Batch:
        return continuous_batch((3, 6, 6), size, seed=seed, kind=kind)


@dataclasses.dataclass(kw_only=True)
class Texts(Images):
    def build(self, arch: Any, *, head: nn.Module | None = None, variant: str = "full") -> nn.Module:
        return Tokens()

    def batch(self, size: int, *, seed: int, kind: Any = "noise") -> Batch:
        generator = torch.Generator().manual_seed(seed)
        return Batch(inputs={"x": torch.randint(0, 11, (size, 5), generator=generator)}, positions=5)


def candidate(space: SearchSpace, *passes: PassSpec) -> Candidate:
    space = space.named("test/space")
    return Candidate(space, space.architecture({"unused": 0}), passes=passes)


def test_gradients_by_inputs_are_those_of_autograd() -> None:
    seen = candidate(Images(), EVERYTHING)
    x = seen.batch(EVERYTHING).inputs["x"].clone().requires_grad_()
    (expected,) = torch.autograd.grad(seen.network(EVERYTHING)(x)[1].sum(), x)
    torch.testing.assert_close(seen.trace(EVERYTHING).input_gradients["x"], expected)


def test_a_network_of_tokens_is_differentiated_by_the_embeddings_of_its_samples() -> None:
    seen = candidate(Texts(), EVERYTHING)
    trace, network = seen.trace(EVERYTHING), seen.network(EVERYTHING)
    assert list(trace.input_gradients) == ["embedding0"]
    embedded = network.words(seen.batch(EVERYTHING).inputs["x"]).detach().requires_grad_()
    features = embedded + network.places(torch.arange(5)).detach()
    for layer in network.layers:
        features = layer(features)
    (expected,) = torch.autograd.grad(network.head(features.mean(1)).sum(), embedded)
    torch.testing.assert_close(trace.input_gradients["embedding0"], expected, rtol=1e-4, atol=1e-6)


def test_signs_are_those_of_what_goes_in_though_the_activation_is_in_place() -> None:
    seen = candidate(Images(), EVERYTHING)
    trace, x = seen.trace(EVERYTHING), seen.batch(EVERYTHING).inputs["x"]
    assert [tuple(signs.shape) for signs in trace.signs] == [(4, 144), (4, 144), (4, 54)]
    expected = (seen.network(EVERYTHING).stages[0][0].conv(x) > 0).flatten(1)
    assert float((trace.signs[0] == expected).float().mean()) > 0.999


def test_moments_are_those_of_the_covariance_of_channels() -> None:
    seen = candidate(Images(), EVERYTHING)
    first = seen.trace(EVERYTHING).moments[0]
    with torch.no_grad():
        out = seen.network(EVERYTHING).stages[0][0].conv(seen.batch(EVERYTHING).inputs["x"])
    covariance = torch.cov(out.movedim(1, -1).reshape(-1, 4).T.double(), correction=0)
    assert (first.parameter, first.rows, first.channels) == ("stages.0.0.conv.weight", 144, 4)
    assert first.variance == pytest.approx(float(covariance.trace()), rel=1e-4)
    assert first.square == pytest.approx(float(covariance.square().sum()), rel=1e-4)
    eigenvalues = torch.linalg.eigvalsh(covariance)
    ratio = float(eigenvalues.sum() ** 2 / eigenvalues.square().sum())
    assert first.participation_ratio == pytest.approx(ratio, rel=1e-4)


def test_layers_of_fewer_rows_than_channels_have_the_same_moments() -> None:
    from denas_core.passes.moments import moments_of

    rows = torch.randn(5, 9, generator=torch.Generator().manual_seed(0))
    covariance = torch.cov(rows.T.double(), correction=0)
    moments = moments_of("w", rows)
    assert moments.variance == pytest.approx(float(covariance.trace()), rel=1e-4)
    assert moments.square == pytest.approx(float(covariance.square().sum()), rel=1e-4)


@pytest.mark.parametrize(
    ("space", "names"),
    [(Images(), ["stages.0.0", "stages.0.1", "stages.1.0"]), (Texts(), ["layers.0", "layers.1"])],
    ids=["images", "texts"],
)
def test_blocks_are_the_items_of_sequences_and_their_gradients_end_at_their_inputs(
    space: SearchSpace, names: list[str]
) -> None:
    seen = candidate(space, EVERYTHING)
    blocks = seen.trace(EVERYTHING).blocks
    assert [block.name for block in blocks] == names
    for block in blocks:
        module = seen.network(EVERYTHING).get_submodule(block.name)
        inputs = block.inputs.clone().requires_grad_()
        outputs = module(inputs)
        torch.testing.assert_close(outputs.detach(), block.outputs, rtol=1e-4, atol=1e-5)
        assert block.cotangent is not None and set(block.cotangent.unique().tolist()) == {-1.0, 1.0}
        (expected,) = torch.autograd.grad(outputs, inputs, block.cotangent)
        torch.testing.assert_close(block.input_gradient, expected, rtol=1e-4, atol=1e-5)
        assert block.channels == (1 if isinstance(space, Images) and not isinstance(space, Texts) else -1)


def test_observing_changes_no_output_and_leaves_no_hook() -> None:
    plain, seen = candidate(Images()), candidate(Images(), EVERYTHING)
    trace = seen.trace(EVERYTHING)
    torch.testing.assert_close(trace.outputs.features, plain.trace(PassSpec(size=4)).outputs.features)
    assert not any(module._forward_hooks for module in seen.network(EVERYTHING).modules())
    assert seen.changed() == ""


def test_scores_that_differ_in_what_they_keep_share_one_run() -> None:
    wanted = [
        PassSpec(size=4, observe=("signs",)),
        PassSpec(size=4, observe=("blocks",)),
        PassSpec(size=4, readout="sum", gradients="inputs"),
        PassSpec(size=4),
    ]
    seen = candidate(Images(), *wanted)
    traces = [seen.trace(spec) for spec in wanted]
    assert len(seen.pass_seconds) == 1 and all(trace is traces[0] for trace in traces)
    assert traces[0].signs and traces[0].blocks and traces[0].input_gradients


def test_passes_that_differ_in_more_stay_apart() -> None:
    cotangent = PassSpec(size=4, readout="cotangent", gradients="inputs")
    layers = PassSpec(size=4, readout="cotangent", gradients="layers")
    signs = PassSpec(size=4, observe=("signs",))
    assert joined_passes([EVERYTHING, cotangent]) == (EVERYTHING, cotangent)
    assert joined_passes([layers, signs]) == (layers, signs)
    assert joined_passes([PassSpec(size=4), layers]) == (layers,)
    assert joined_passes([signs, dataclasses.replace(signs, size=8)]) == (
        signs,
        dataclasses.replace(signs, size=8),
    )


def test_a_network_without_inputs_to_differentiate_by_says_so() -> None:
    @dataclasses.dataclass(kw_only=True)
    class OneHot(Texts):
        def build(self, arch: Any, *, head: nn.Module | None = None, variant: str = "full") -> nn.Module:
            class Counting(nn.Module):
                def __init__(self) -> None:
                    super().__init__()
                    self.head = nn.Linear(11, 3)

                def forward(self, x: Tensor) -> Tensor:
                    return self.head(nn.functional.one_hot(x, 11).float().mean(1))

            return Counting()

    with pytest.raises(ScoreFailed, match="neither a continuous input nor embeddings"):
        candidate(OneHot()).trace(PassSpec(size=4, readout="sum", gradients="inputs"))


def test_each_layer_of_a_plain_network_but_the_head_is_a_block() -> None:
    @dataclasses.dataclass(kw_only=True)
    class Plain(Images):
        hidden: bool = True

        def build(self, arch: Any, *, head: nn.Module | None = None, variant: str = "full") -> nn.Module:
            hidden = [nn.Linear(64, 64), nn.ReLU()] if self.hidden else []
            end = nn.Sequential(nn.Flatten(), *hidden, nn.Linear(64, 3))
            return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), end)

    def blocks_of(space: Images) -> list[tuple[str, int]]:
        blocks = candidate(space).trace(PassSpec(size=4, observe=("blocks",))).blocks
        return [(block.name, block.channels) for block in blocks]

    assert blocks_of(Plain()) == [("0", 1), ("2.1", -1)]
    assert blocks_of(Plain(hidden=False)) == [("0", 1)]


def test_a_network_of_a_single_layer_is_one_block() -> None:
    assert blocks_by_module(nn.Sequential(nn.Flatten(), nn.Linear(64, 3))) == ("1",)
