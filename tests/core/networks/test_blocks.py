"""The blocks of a network, found from its modules."""

from __future__ import annotations

from torch import Tensor, nn

from denas_core.networks.blocks import blocks_by_module


class Residual(nn.Module):
    """A block whose inside is made of sequences of layers."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(layers(8, 8), layers(8, 8))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.body(x)
        return x + y


class Tail(nn.Module):
    """A head that is built from other modules."""

    def __init__(self) -> None:
        super().__init__()
        self.dropout = nn.Dropout(0.2)
        self.head = nn.Linear(8, 3)


class Network(nn.Module):
    """A network whose children are the given modules."""

    def __init__(self, **children: nn.Module) -> None:
        super().__init__()
        for name, child in children.items():
            self.add_module(name, child)


def layers(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU())


def test_items_that_are_sequences_of_layers_are_blocks() -> None:
    blocks = nn.Sequential(layers(8, 8), nn.Dropout(), layers(8, 8))
    assert blocks_by_module(Network(stem=layers(3, 8), blocks=blocks, tail=Tail())) == (
        "blocks.0",
        "blocks.2",
    )
    in_a_list = nn.ModuleList([layers(8, 8), layers(8, 8)])
    assert blocks_by_module(Network(inner=Network(blocks=in_a_list), tail=Tail())) == (
        "inner.blocks.0",
        "inner.blocks.1",
    )


def test_stages_of_sequences_of_layers_are_searched() -> None:
    stages = nn.Sequential(nn.Sequential(layers(3, 8), layers(8, 8)), nn.Sequential(layers(8, 8)))
    assert blocks_by_module(Network(stages=stages, tail=Tail())) == ("stages.0.0", "stages.0.1", "stages.1.0")


def test_a_sequence_that_holds_the_head_is_not_a_block() -> None:
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3))
    assert blocks_by_module(nn.Sequential(layers(3, 8), layers(8, 8), head)) == ("0", "1")
    assert blocks_by_module(nn.Sequential(layers(3, 8), head)) == ("0.0",)


def test_sequences_without_weights_are_not_blocks() -> None:
    pools = nn.Sequential(nn.Sequential(nn.ReLU()), nn.Sequential(nn.MaxPool2d(2)), layers(3, 8))
    assert blocks_by_module(Network(pools=pools, head=nn.Linear(8, 3))) == ("pools.2.0",)


def test_the_inside_of_a_block_is_not_searched() -> None:
    assert blocks_by_module(nn.Sequential(layers(3, 8), Residual(), layers(8, 8))) == ("1",)
    assert blocks_by_module(Network(first=Residual(), second=Residual(), tail=Tail())) == (
        "first",
        "second",
        "tail",
    )
