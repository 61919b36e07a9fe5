"""Small networks of the kinds that image, text and sound models are built of, written as their authors write them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from .transformers import MixerBlock, Patches, TransformerBlock


def conv(inputs: int, outputs: int, size: int = 3, stride: int = 1, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Ending(nn.Sequential):
    def __init__(self, features: int) -> None:
        super().__init__(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(features, 10))


class BasicBlock(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first, self.second = conv(inputs, outputs, 3, stride), conv(outputs, outputs)[:2]
        self.shortcut = None if stride == 1 and inputs == outputs else conv(inputs, outputs, 1, stride)[:2]

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.shortcut is None else self.shortcut(x)
        return functional.relu(self.second(self.first(x)) + shortcut)


class Bottleneck(nn.Module):
    def __init__(self, inputs: int, middle: int, outputs: int, stride: int, groups: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv(inputs, middle, 1), conv(middle, middle, 3, stride, groups), conv(middle, outputs, 1)[:2]
        )
        self.shortcut = None if stride == 1 and inputs == outputs else conv(inputs, outputs, 1, stride)[:2]

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.shortcut is None else self.shortcut(x)
        return functional.relu(self.body(x) + shortcut)


class ResNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = conv(3, 8)
        self.layer1 = nn.Sequential(BasicBlock(8, 8, 1), BasicBlock(8, 8, 1), BasicBlock(8, 8, 1))
        self.layer2 = nn.Sequential(BasicBlock(8, 16, 2), BasicBlock(16, 16, 1))
        self.end = Ending(16)

    def forward(self, x: Tensor) -> Tensor:
        return self.end(self.layer2(self.layer1(self.stem(x))))


def bottlenecks(groups: int, middle: int) -> nn.Module:
    return nn.Sequential(
        conv(3, 8),
        nn.Sequential(Bottleneck(8, middle, 24, 1, groups), Bottleneck(24, middle, 24, 1, groups)),
        nn.Sequential(Bottleneck(24, 2 * middle, 32, 2, groups), Bottleneck(32, 2 * middle, 32, 1, groups)),
        Ending(32),
    )


def vgg() -> nn.Module:
    return nn.Sequential(
        *(conv(3, 8), conv(8, 8), nn.MaxPool2d(2), conv(8, 16), conv(16, 16), nn.MaxPool2d(2)),
        nn.Flatten(),
        *(nn.Linear(16 * 16, 32), nn.ReLU(), nn.Dropout(), nn.Linear(32, 10)),
    )


class DenseLayer(nn.Module):
    def __init__(self, inputs: int, growth: int) -> None:
        super().__init__()
        self.norm1, self.conv1 = nn.BatchNorm2d(inputs), nn.Conv2d(inputs, 2 * growth, 1)
        self.norm2, self.conv2 = nn.BatchNorm2d(2 * growth), nn.Conv2d(2 * growth, growth, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        new = self.conv2(functional.relu(self.norm2(self.conv1(functional.relu(self.norm1(x))))))
        return torch.cat([x, new], 1)


def densenet() -> nn.Module:
    transition = nn.Sequential(nn.BatchNorm2d(24), nn.ReLU(), nn.Conv2d(24, 12, 1), nn.AvgPool2d(2))
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.Sequential(DenseLayer(8, 8), DenseLayer(16, 8)),
        transition,
        nn.Sequential(DenseLayer(12, 8), DenseLayer(20, 8)),
        *(nn.BatchNorm2d(28), nn.ReLU()),
        Ending(28),
    )


class Excite(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.reduce, self.expand = (
            nn.Conv2d(channels, channels // 4, 1),
            nn.Conv2d(channels // 4, channels, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x * self.expand(functional.silu(self.reduce(x.mean((2, 3), keepdim=True)))).sigmoid()


class Inverted(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int, excite: bool) -> None:
        super().__init__()
        middle = 4 * inputs
        self.is_residual = stride == 1 and inputs == outputs
        self.body = nn.Sequential(
            conv(inputs, middle, 1),
            conv(middle, middle, 3, stride, groups=middle),
            Excite(middle) if excite else nn.Identity(),
            conv(middle, outputs, 1)[:2],
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x) if self.is_residual else self.body(x)


def mobile(excite: bool) -> nn.Module:
    blocks = [(8, 8, 1), (8, 12, 2), (12, 12, 1), (12, 12, 1), (12, 16, 2)]
    return nn.Sequential(
        conv(3, 8), nn.Sequential(*(Inverted(*sizes, excite) for sizes in blocks)), Ending(16)
    )


class Fire(nn.Module):
    def __init__(self, inputs: int, middle: int, outputs: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, middle, 1)
        self.small, self.large = nn.Conv2d(middle, outputs, 1), nn.Conv2d(middle, outputs, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(self.squeeze(x))
        return torch.cat([functional.relu(self.small(x)), functional.relu(self.large(x))], 1)


def squeezenet() -> nn.Module:
    return nn.Sequential(
        conv(3, 8), Fire(8, 4, 8), Fire(16, 4, 8), nn.MaxPool2d(2), Fire(16, 8, 12), nn.Conv2d(24, 10, 1),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(),
    )  # fmt: skip


class Inception(nn.Module):
    """Four branches that are concatenated, and a classifier beside them that is used in training only."""

    def __init__(self, aside: bool) -> None:
        super().__init__()
        self.stem = conv(3, 8)
        self.one, self.three = conv(8, 8, 1), nn.Sequential(conv(8, 4, 1), conv(4, 8))
        self.five, self.pool = nn.Sequential(conv(8, 4, 1), conv(4, 8, 5)), conv(8, 8, 1)
        self.after = conv(32, 16)
        self.aside = Ending(32) if aside else None
        self.end = Ending(16)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        x = self.stem(x)
        pooled = functional.max_pool2d(x, 3, 1, 1)
        x = torch.cat([self.one(x), self.three(x), self.five(x), self.pool(pooled)], 1)
        out = self.end(self.after(x))
        return (self.aside(x), out) if self.training and self.aside is not None else out


class ShuffleUnit(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.body = nn.Sequential(
            conv(half, half, 1), conv(half, half, 3, groups=half)[:2], conv(half, half, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        first, second = x.chunk(2, dim=1)
        x = torch.cat([first, self.body(second)], 1)
        size, channels, height, width = x.shape
        shuffled = x.view(size, 2, channels // 2, height, width).transpose(1, 2)
        return shuffled.reshape(size, channels, height, width)


class ConvNeXtBlock(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mix = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels)
        self.expand, self.reduce = nn.Linear(channels, 4 * channels), nn.Linear(4 * channels, channels)
        self.gamma = nn.Parameter(torch.full((channels,), 0.1))

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.mix(x).permute(0, 2, 3, 1))
        y = self.gamma * self.reduce(functional.gelu(self.expand(y)))
        return x + y.permute(0, 3, 1, 2)


def convnext() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 8, 4, 4), nn.GroupNorm(1, 8),
        nn.Sequential(ConvNeXtBlock(8), ConvNeXtBlock(8)), nn.Conv2d(8, 16, 2, 2),
        nn.Sequential(ConvNeXtBlock(16), ConvNeXtBlock(16)), Ending(16),
    )  # fmt: skip


class UNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down1, self.down2, self.middle = conv(3, 8), conv(8, 12), conv(12, 16)
        self.up2, self.fuse2 = nn.ConvTranspose2d(16, 12, 2, 2), conv(24, 12)
        self.up1, self.fuse1 = nn.ConvTranspose2d(12, 8, 2, 2), conv(16, 8)
        self.last = nn.Conv2d(8, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        first = self.down1(x)
        second = self.down2(functional.max_pool2d(first, 2))
        x = self.middle(functional.max_pool2d(second, 2))
        x = self.fuse2(torch.cat([self.up2(x), second], 1))
        return self.last(self.fuse1(torch.cat([self.up1(x), first], 1)))


class Causal(nn.Module):
    """A residual block of a temporal convolutional network."""

    def __init__(self, inputs: int, outputs: int, dilation: int) -> None:
        super().__init__()
        self.pad = 2 * dilation
        self.first = nn.Conv1d(inputs, outputs, 3, dilation=dilation)
        self.second = nn.Conv1d(outputs, outputs, 3, dilation=dilation)
        self.shortcut = nn.Conv1d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.first(functional.pad(x, (self.pad, 0))))
        y = functional.relu(self.second(functional.pad(y, (self.pad, 0))))
        return functional.relu(y + self.shortcut(x))


def tcn() -> nn.Module:
    blocks = [Causal(4, 8, 1), Causal(8, 8, 2), Causal(8, 8, 4)]
    return nn.Sequential(nn.Sequential(*blocks), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(8, 10))


class CRNN(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(conv(1, 8), nn.MaxPool2d(2), conv(8, 12), nn.MaxPool2d((4, 1)))
        self.rnn = nn.LSTM(24, 16, bidirectional=True, batch_first=True)
        self.last = nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.body(x).flatten(1, 2).transpose(1, 2)
        return self.last(self.rnn(x)[0])


class FCN(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(conv(3, 8), conv(8, 16, 3, 2), conv(16, 16, 3, 2))
        self.score, self.skip = nn.Conv2d(16, 5, 1), nn.Conv2d(16, 5, 1)

    def forward(self, x: Tensor) -> Tensor:
        middle = self.body[:2](x)
        deep = functional.interpolate(self.score(self.body[2](middle)), scale_factor=2.0, mode="bilinear")
        return functional.interpolate(deep + self.skip(middle), size=x.shape[2:], mode="bilinear")


def mlp() -> nn.Module:
    return nn.Sequential(
        nn.Flatten(), nn.Linear(48, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)
    )


Shape = tuple[int, ...]
NETWORKS: dict[str, tuple[Callable[[], nn.Module], Shape]] = {
    "ResNet, basic blocks": (ResNet, (3, 16, 16)),
    "ResNet, bottlenecks": (lambda: bottlenecks(1, 8), (3, 16, 16)),
    "VGG": (vgg, (3, 16, 16)),
    "DenseNet": (densenet, (3, 16, 16)),
    "MobileNetV2": (lambda: mobile(False), (3, 16, 16)),
    "SqueezeNet": (squeezenet, (3, 16, 16)),
    "Inception": (lambda: Inception(aside=False), (3, 16, 16)),
    "ShuffleNetV2": (
        lambda: nn.Sequential(conv(3, 16), ShuffleUnit(16), ShuffleUnit(16), Ending(16)),
        (3, 16, 16),
    ),
    "EfficientNet": (lambda: mobile(True), (3, 16, 16)),
    "ConvNeXt": (convnext, (3, 16, 16)),
    "U-Net": (UNet, (3, 16, 16)),
    "MLP-Mixer": (lambda: Patches([MixerBlock(16, 16) for _ in range(3)], 16, token=False), (3, 16, 16)),
    "ViT": (lambda: Patches([TransformerBlock(16, 4) for _ in range(3)], 16, token=True), (3, 16, 16)),
    "RegNet": (lambda: bottlenecks(2, 8), (3, 16, 16)),
    "MLP": (mlp, (3, 4, 4)),
    "TCN": (tcn, (4, 20)),
    "CRNN": (CRNN, (1, 16, 24)),
    "GoogLeNet": (lambda: Inception(aside=True), (3, 16, 16)),
    "ResNeXt": (lambda: bottlenecks(4, 8), (3, 16, 16)),
    "FCN": (FCN, (3, 16, 16)),
}
"""A function that builds each network, and the shape of a sample."""
