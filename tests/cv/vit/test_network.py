"""Vision transformers: attention against a slow version in the words of AutoFormer, exports, precision, weights."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

from denas_core import Architecture
from denas_cv.vit.attention import Attention, RelativeTable
from denas_cv.vit.positions import PatchGrid, table_rows
from denas_cv.vit.space import ViT

pytestmark = pytest.mark.numerics

VALUES = {"depth": 2, "embed_dim": 24} | {
    f"layer{layer}.{name}": value
    for layer in (1, 2)
    for name, value in (("mlp_ratio", 4.0), ("heads", 1 + layer))
}


def small(**options: Any) -> ViT:
    given = {"image_size": 16, "patch_size": 4, "depths": [1, 2], "embed_dims": [24], "heads": [2, 3]}
    return ViT(**{**given, "head_size": 8, **options}).named("cv/vit")


def loaded(space: ViT, *, variant: Any = "full") -> tuple[Architecture, nn.Module]:
    arch = space.architecture(VALUES)
    return arch, space.load(space.build(arch, variant=variant), arch, seed=3).eval()


def slow_attention(module: Attention, x: Tensor, side: int, furthest: int) -> Tensor:
    """As AutoFormer describes it: an embedding for every pair of tokens; 0 stands for the class token."""
    samples, tokens, _ = x.shape
    query, key, value = (
        module.qkv(x).reshape(samples, tokens, 3, module.heads, -1).permute(2, 0, 3, 1, 4).unbind()
    )

    def embeddings(table: RelativeTable) -> Tensor:
        pairs = x.new_zeros(tokens, tokens, table.vertical.shape[1])
        for i, j in itertools.product(range(tokens), repeat=2):
            rows = columns = 0
            if i and j:
                down, right = (j - 1) // side - (i - 1) // side, (j - 1) % side - (i - 1) % side
                rows, columns = (max(-furthest, min(furthest, way)) + furthest + 1 for way in (down, right))
            pairs[i, j] = table.vertical[rows] + table.horizontal[columns]
        return pairs

    logits = query @ key.transpose(-1, -2) + torch.einsum("bhid,ijd->bhij", query, embeddings(module.keys))
    attention = (logits * query.shape[-1] ** -0.5).softmax(-1)
    y = attention @ value + torch.einsum("bhij,ijd->bhid", attention, embeddings(module.values))
    return module.out(y.transpose(1, 2).reshape(samples, tokens, -1))


@pytest.mark.parametrize(("side", "furthest"), [(3, 14), (4, 2), (1, 1)])
def test_attention_is_that_of_autoformer(side: int, furthest: int) -> None:
    torch.manual_seed(0)
    module = Attention(12, 2, 5, table_rows=table_rows(furthest)).double()
    for parameter in module.parameters():
        nn.init.normal_(parameter)
    x = torch.randn(2, 1 + side**2, 12, dtype=torch.float64, requires_grad=True)
    fast = module(x, PatchGrid.like(x, side=side, max_distance=furthest))
    slow = slow_attention(module, x, side, furthest)
    assert torch.allclose(fast, slow, rtol=1e-10, atol=1e-10)
    readout = torch.randn_like(fast)
    inputs = [x, *module.parameters()]
    for one, other in zip(
        *(torch.autograd.grad((y * readout).sum(), inputs) for y in (fast, slow)), strict=True
    ):
        assert torch.allclose(one, other, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("relative", [True, False])
def test_an_exported_program_takes_any_number_of_images(relative: bool) -> None:
    space = small(relative_position=relative)
    _, model = loaded(space)
    images = space.batch(3, seed=0).inputs["x"]
    program = torch.export.export(model, (images[:2],), dynamic_shapes=({0: torch.export.Dim("images")},))
    assert torch.allclose(program.module()(images), model(images), atol=1e-6)


def test_it_works_in_float64_and_under_autocast() -> None:
    space = small()
    _, model = loaded(space)
    images = space.batch(2, seed=0).inputs["x"]
    single = model(images)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.allclose(model(images).float(), single, atol=0.03)
    double = {name: tensor.double() for name, tensor in model.named_parameters()}
    outputs = functional_call(model, double, (images.double(),))
    assert outputs.dtype == torch.float64
    assert torch.allclose(outputs.float(), single, atol=1e-5)


def test_every_parameter_takes_part_in_training() -> None:
    space = small(drop_path=0.0)
    _, model = loaded(space)
    model.train()(space.batch(2, seed=0).inputs["x"]).square().sum().backward()
    still = [name for name, parameter in model.named_parameters() if not parameter.grad.any()]
    assert not still


def test_the_plain_variant_has_no_residual_connections() -> None:
    space = small()
    _, model = loaded(space, variant="plain")
    images = space.batch(2, seed=0).inputs["x"]
    with torch.no_grad():
        x = model.embedding(images)
        grid = PatchGrid.like(x, side=4, max_distance=14)
        for block in model.blocks:
            x = block.attention(block.attention_norm(x), grid)
            x = block.feed_forward(block.feed_forward_norm(x))
        assert torch.equal(model.tokens(images), model.norm(x))


def test_pooling_takes_the_mean_of_the_patches_or_the_class_token() -> None:
    images = small().batch(2, seed=0).inputs["x"]
    for pooling in (True, False):
        _, model = loaded(small(global_pooling=pooling))
        tokens = model.tokens(images)
        expected = tokens[:, 1:].mean(1) if pooling else tokens[:, 0]
        assert torch.equal(model(images), model.head(expected))


def test_stochastic_depth_is_for_training_alone_and_keeps_the_mean() -> None:
    space = small(drop_path=0.5)
    _, model = loaded(space)
    images = space.batch(1, seed=0).inputs["x"]
    with torch.no_grad():
        assert torch.equal(model(images), model(images))
        torch.manual_seed(0)
        x = torch.randn(4000, 1, 24)
        y = torch.ones(4000, 1, 24)
        last = model.train().blocks[-1]
        added = last._add_residual(x, y) - x
        assert sorted(set(added[:, 0, 0].round().tolist())) == [0.0, 2.0]
        assert added.mean().item() == pytest.approx(1.0, abs=0.1)
        assert torch.equal(model.blocks[0]._add_residual(x, y), x + y)


def test_fresh_weights_are_those_of_autoformer() -> None:
    space = small(embed_dims=[24], heads=[2, 3], head_size=64)
    _, model = loaded(space)
    for name, parameter in model.named_parameters():
        last = name.rpartition(".")[2]
        if "norm" in name:
            assert torch.equal(parameter, torch.full_like(parameter, float(last == "weight"))), name
        elif "patches" in name:
            assert parameter.abs().max() <= (3 * 4 * 4) ** -0.5
        elif last == "bias":
            assert not parameter.any(), name
        elif parameter.numel() > 1000:
            assert parameter.std().item() == pytest.approx(0.02, rel=0.1), name


def test_the_head_of_a_task_is_initialised_too() -> None:
    space = small()
    arch = space.architecture(VALUES)
    with torch.device("meta"):
        model = space.build(arch, head=nn.Sequential(nn.LayerNorm(24), nn.Linear(24, 3)))
    model = space.load(model, arch, seed=0)
    assert space.forward(model, space.batch(2, seed=0)).logits["logits"].shape == (2, 3)
    assert torch.equal(model.head[0].weight, torch.ones(24))
