"""Networks of structure strings: parameter counts in closed form, shapes, variants and weights."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from denas_cv.cnn.space import CNN

pytestmark = pytest.mark.numerics

START = (
    "SuperConvK3BNRELU(3,8,1,1)SuperResK3K3(8,16,1,8,1)SuperResK3K3(16,32,2,16,1)SuperResK3K3(32,64,2,32,1)"
    "SuperResK3K3(64,64,2,32,1)SuperConvK1BNRELU(64,128,1,1)"
)
IN, OUT, MID = 16, 32, 24
HEAD = (OUT + 1) * 10


def built(text: str, *, variant: str = "full", **options) -> nn.Module:
    space = CNN(**options).named("cv/cnn")
    with torch.device("meta"):
        return space.build(space.parse(text), variant=variant)


def parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def shortcut(channels: int, out_channels: int) -> int:
    """A 1x1 convolution with bias, and a norm."""
    return channels * out_channels + out_channels + 2 * out_channels


def test_the_original_counts_its_start_structure_the_same() -> None:
    assert parameters(built(START, classes=100)) == 102_572


def test_the_original_counts_two_sub_layers_of_k5k5_the_same() -> None:
    text = START.replace("SuperResK3K3(64,64,2,32,1)", "SuperResK5K5(64,64,2,48,2)")
    assert parameters(built(text, classes=100)) == 373_164


@pytest.mark.parametrize("kernel", [1, 3, 5, 7])
@pytest.mark.parametrize("layers", [1, 3])
def test_parameters_of_plain_convolutions(kernel: int, layers: int) -> None:
    model = built(f"SuperConvK{kernel}BNRELU({IN},{OUT},2,{layers})", channels=IN)
    first, further = IN * OUT * kernel**2 + 2 * OUT, OUT * OUT * kernel**2 + 2 * OUT
    assert parameters(model) == first + (layers - 1) * further + HEAD


@pytest.mark.parametrize("kernel", [3, 5, 7])
@pytest.mark.parametrize("layers", [1, 3])
def test_parameters_of_basic_residuals(kernel: int, layers: int) -> None:
    def unit(channels: int) -> int:
        return (channels + OUT) * MID * kernel**2 + 2 * MID + 2 * OUT

    model = built(f"SuperResK{kernel}K{kernel}({IN},{OUT},2,{MID},{layers})", channels=IN)
    assert parameters(model) == unit(IN) + shortcut(IN, OUT) + (layers - 1) * unit(OUT) + HEAD


@pytest.mark.parametrize("kernel", [3, 5, 7])
@pytest.mark.parametrize("layers", [1, 3])
def test_parameters_of_bottleneck_residuals_two_a_sub_layer(kernel: int, layers: int) -> None:
    def unit(channels: int) -> int:
        return channels * MID + MID * MID * kernel**2 + MID * OUT + 4 * MID + 2 * OUT

    model = built(f"SuperResK1K{kernel}K1({IN},{OUT},2,{MID},{layers})", channels=IN)
    assert parameters(model) == unit(IN) + shortcut(IN, OUT) + (2 * layers - 1) * unit(OUT) + HEAD


@pytest.mark.parametrize("kernel", [3, 5, 7])
@pytest.mark.parametrize("expansion", [1, 2, 4, 6])
@pytest.mark.parametrize("layers", [1, 2])
def test_parameters_of_inverted_residuals_two_a_sub_layer(kernel: int, expansion: int, layers: int) -> None:
    def unit(channels: int, out_channels: int) -> int:
        hidden = expansion * out_channels
        return hidden * (channels + kernel**2 + out_channels) + 4 * hidden + 2 * out_channels

    model = built(f"SuperResIDWE{expansion}K{kernel}({IN},{OUT},2,{MID},{layers})", channels=IN)
    first = unit(IN, MID) + shortcut(IN, MID) + unit(MID, OUT) + shortcut(MID, OUT)
    further = unit(OUT, MID) + shortcut(OUT, MID) + unit(MID, OUT) + shortcut(MID, OUT)
    assert parameters(model) == first + (layers - 1) * further + HEAD


def test_squeeze_and_excitation_adds_its_gate_of_a_quarter_of_the_width() -> None:
    text = f"SuperResK3K3({IN},{OUT},1,{MID},2)"
    plain, gated = (built(text, channels=IN, squeeze_excitation=flag) for flag in (False, True))
    gate = 2 * MID * (MID // 4) + 2 * (MID // 4) + 2 * MID
    assert parameters(gated) - parameters(plain) == 2 * gate


def test_a_shortcut_is_projected_in_the_first_unit_and_where_channels_change() -> None:
    model = built("SuperResK3K3(16,16,1,8,3)", channels=16)
    assert [type(unit.shortcut) for unit in model.trunk[0]] == [nn.Sequential, nn.Identity, nn.Identity]
    model = built("SuperResIDWE2K3(16,16,1,8,2)", channels=16)
    assert all(type(unit.shortcut) is nn.Sequential for unit in model.trunk[0])


def test_the_plain_variant_has_no_shortcuts_and_the_same_bodies() -> None:
    full, plain = built(START), built(START, variant="plain")
    names = {name for name, _ in full.named_parameters() if ".shortcut." not in name}
    assert {name for name, _ in plain.named_parameters()} == names
    assert all(unit.shortcut is None for block in plain.trunk for unit in block)


def test_a_plain_network_computes_its_bodies_alone() -> None:
    space = CNN().named("cv/cnn")
    arch = space.parse(START)
    model = space.load(space.build(arch, variant="plain"), arch, seed=0).eval()
    batch = space.batch(2, seed=1)
    x = batch.inputs["x"]
    with torch.no_grad():
        for block in model.trunk:
            for unit in block:
                x = torch.relu(unit.body(x))
        assert torch.equal(space.forward(model, batch).features, x)


def test_a_residual_unit_adds_its_shortcut_before_the_last_relu() -> None:
    space = CNN(channels=8, image_size=5).named("cv/cnn")
    arch = space.parse("SuperResK3K3(8,8,1,8,2)")
    model = space.load(space.build(arch), arch, seed=0).eval()
    first, second = model.trunk[0]
    x = space.batch(2, seed=1).inputs["x"]
    with torch.no_grad():
        y = torch.relu(first.body(x) + first.shortcut(x))
        assert torch.equal(model.trunk(x), torch.relu(second.body(y) + y))


@pytest.mark.parametrize(
    ("text", "size"),
    [
        (START, 4),
        ("SuperConvK7BNRELU(3,8,2,2)SuperResK1K5K1(8,16,2,8,2)SuperResIDWE2K7(16,16,2,8,1)", 4),
        ("SuperConvK1BNRELU(3,8,1,1)SuperResK7K7(8,16,1,8,2)", 32),
    ],
)
def test_strides_act_once_a_block(text: str, size: int) -> None:
    space = CNN().named("cv/cnn")
    arch = space.parse(text)
    with torch.device("meta"):
        out = space.forward(space.build(arch), space.batch(2, seed=0, kind="cost"))
    assert out.features.shape == (2, space.blocks(arch)[-1].out_channels, size, size)
    assert out.logits["logits"].shape == (2, 10)


def test_an_odd_image_and_a_single_pixel_pass() -> None:
    for image_size, size in ((33, 5), (1, 1)):
        space = CNN(image_size=image_size).named("cv/cnn")
        with torch.device("meta"):
            model = space.build(space.parse(START)).eval()
            features = space.forward(model, space.batch(1, seed=0, kind="cost")).features
        assert features.shape[-2:] == (size, size)


def test_a_head_of_a_task_takes_the_pooled_channels() -> None:
    space = CNN().named("cv/cnn")
    arch = space.parse(START)
    model = space.load(space.build(arch, head=nn.Linear(128, 3)), arch, seed=0)
    assert space.forward(model, space.batch(2, seed=0)).logits["logits"].shape == (2, 3)


def test_calling_the_network_gives_its_logits() -> None:
    space = CNN().named("cv/cnn")
    arch = space.parse(START)
    model = space.load(space.build(arch), arch, seed=0).eval()
    batch = space.batch(2, seed=0)
    assert torch.equal(model(batch.inputs["x"]), space.forward(model, batch).logits["logits"])


def test_fresh_convolutions_keep_the_variance_of_gradients_and_norms_are_the_identity() -> None:
    space = CNN(channels=64, inverted=True).named("cv/cnn")
    arch = space.parse("SuperResK5K5(64,64,1,64,1)SuperResIDWE6K3(64,64,1,64,1)")
    model = space.load(space.build(arch), arch, seed=0)
    for module in model.trunk.modules():
        if isinstance(module, nn.Conv2d):
            fan_out = module.out_channels * math.prod(module.kernel_size) / module.groups
            assert module.weight.std().item() == pytest.approx((2 / fan_out) ** 0.5, rel=0.1)
            assert module.bias is None or not module.bias.any()
        if isinstance(module, nn.BatchNorm2d):
            assert module.eps == 1e-3
            assert (module.weight == 1).all() and not module.bias.any()
            assert (module.running_var == 1).all() and not module.running_mean.any()
            assert module.num_batches_tracked == 0
    assert model.head.weight.abs().max() <= model.head.in_features**-0.5


def test_views_are_convolutions_by_unit_and_the_head() -> None:
    space = CNN(squeeze_excitation=True).named("cv/cnn")
    model = built("SuperConvK3BNRELU(3,8,1,1)SuperResK1K3K1(8,16,2,8,1)", squeeze_excitation=True)
    views = space.views(model)
    shapes = {name: parameter.shape for name, parameter in model.named_parameters()}
    assert {view.parameter for view in views} == {n for n, shape in shapes.items() if len(shape) > 1}
    assert [view.kind for view in views] == ["conv"] * (len(views) - 1) + ["head"]
    layers = [view.layer for view in views]
    # Stem, two residual units (the first with a projection, both with a gate of two), head.
    assert layers == [0] + [1] * 6 + [2] * 5 + [3]
