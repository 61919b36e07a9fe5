"""A random network that recognises nothing, with the methods that decoders ask for."""

from __future__ import annotations

import torch
from torch import Tensor

WIDTH = 6


class TinyRecogniser:
    """Reads symbols in their order and the mean of the frames that count; float64."""

    def __init__(self, symbols: int, *, seed: int, sharpness: float = 1.5) -> None:
        generator = torch.Generator().manual_seed(seed)
        size = symbols + 3

        def weights(*shape: int) -> Tensor:
            return sharpness * torch.randn(*shape, generator=generator, dtype=torch.float64)

        self.read_out = weights(WIDTH, size)
        self.embedding = weights(size, WIDTH)
        self.past = weights(WIDTH, WIDTH)
        self.output = weights(WIDTH, size)
        self.calls = 0

    def ctc(self, encoded: Tensor) -> Tensor:
        return encoded @ self.read_out

    def decode(self, tokens: Tensor, encoded: Tensor, encoded_lengths: Tensor | None = None) -> Tensor:
        self.calls += 1
        if encoded_lengths is None:
            encoded_lengths = torch.full((len(encoded),), encoded.shape[1])
        counts = torch.arange(encoded.shape[1]) < encoded_lengths[:, None]
        heard = encoded.masked_fill(~counts[..., None], 0.0).sum(1) / encoded_lengths[:, None]
        states, state = [], torch.zeros_like(heard)
        for symbol in tokens.unbind(1):
            state = torch.tanh(self.embedding[symbol] + state @ self.past + heard)
            states.append(state)
        return torch.stack(states, 1) @ self.output


def random_speech(utterances: int, frames: int, *, seed: int) -> Tensor:
    """Return encoded frames, (utterances, frames, width), float64."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(utterances, frames, WIDTH, generator=generator, dtype=torch.float64)
