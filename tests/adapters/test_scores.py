"""The scores of adapters, compared with gradients that are computed in another way."""

from __future__ import annotations

import pytest
import torch

from denas_adapters.gain import Gain
from denas_adapters.grad_norm import AdapterGradNorm
from denas_adapters.space import Adapters
from denas_core import Candidate, PassSpec, ProxyScore, Registry, ScoreFailed, ScoringData
from denas_core.contracts.inputs import batch_of, load_network, loss_of
from denas_core.testing import SampleTransformer, ScoreTests
from tests.hf.tiny_models import CONFIGS

from .spaces import mixed, space_of


class TestGain(ScoreTests):
    def make(self) -> Gain:
        return Gain(batch_size=4, repeats=2)

    def spaces(self) -> list[object]:
        return [space_of()]


class TestGradNorm(ScoreTests):
    def make(self) -> AdapterGradNorm:
        return AdapterGradNorm(batch_size=4)

    def spaces(self) -> list[object]:
        return [space_of(), space_of(kind="ia3")]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> ScoringData:
    space = space_of()
    task = Registry.discover().create("task", "nlp/sst2")
    return ScoringData(space, task, task.example(tmp_path_factory.mktemp("texts"), space))


def test_gain_is_the_sum_of_the_largest_singular_values(data: ScoringData) -> None:
    space = space_of()
    arch = mixed(space)
    found = Gain(batch_size=4, repeats=1).measure(Candidate(space, arch, data=data))
    # The same gradients by hand: the checkpoint under the same head, the same samples, one backward run.
    spec = PassSpec(size=4, weights="inherited", norm="coupled", readout="cross entropy", gradients="weights")
    full = space.auto.full()
    assert full is not None
    plain = ScoringData(space.auto, data.task, data.path)
    network = load_network(space.auto, full, spec, seed=0, data=plain)
    batch = batch_of(space.auto, spec, seed=0, device="cpu", data=plain)
    losses = loss_of(plain, spec, seed=0, device="cpu")(space.auto.forward(network, batch), 0)
    losses.mean().backward()
    expected = 0.0
    for projection, rank in space.adapters(arch).items():
        gradient = network.get_submodule(f"bert.{projection.module}").weight.grad
        expected += float(torch.linalg.svdvals(gradient.double())[:rank].sum())
    assert found == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("kind", ["lora", "ia3"])
@pytest.mark.parametrize("score", [Gain(batch_size=4, repeats=2), AdapterGradNorm(batch_size=4)])
def test_more_adapters_have_a_larger_score_and_none_have_0(
    kind: str, score: ProxyScore, data: ScoringData
) -> None:
    space = space_of(kind=kind)
    data = ScoringData(space, data.task, data.path)
    full, smallest = space.full(), space.smallest()
    assert full is not None and smallest is not None
    values = [score.measure(Candidate(space, arch, data=data)) for arch in (smallest, full)]
    assert values[0] == 0 < values[1]


def test_the_gradient_of_a_is_0_and_that_of_b_is_not(data: ScoringData) -> None:
    space = space_of()
    trace = Candidate(space, space.uniform(2), data=data).trace(AdapterGradNorm(batch_size=4).passes()[0])
    sizes = {name: float(gradient.abs().max()) for name, gradient in trace.gradients.items()}
    assert {value for name, value in sizes.items() if "lora_A" in name} == {0}
    assert all(value > 0 for name, value in sizes.items() if "lora_B" in name and "query" not in name)


@pytest.mark.parametrize("score", [Gain(), AdapterGradNorm()])
def test_a_space_without_a_checkpoint_has_no_such_score(score: ProxyScore) -> None:
    space = Adapters(config=CONFIGS["bert"]).named("adapters/hf")
    with pytest.raises(ScoreFailed, match=r"'adapters/hf' has no checkpoint; name one in space\.model"):
        score.measure(Candidate(space, space.uniform(2)))


@pytest.mark.parametrize("score", [Gain(), AdapterGradNorm()])
def test_other_spaces_have_no_such_score(score: ProxyScore) -> None:
    space = SampleTransformer().named("sample/transformer")
    full = space.full()
    assert full is not None
    with pytest.raises(ScoreFailed, match="networks of 'sample/transformer' have no adapters"):
        score.measure(Candidate(space, full))
