"""CPU-seconds that each decoder takes for a second of speech.

Utterances of 16 s: 400 encoded frames of 40 ms. What CTC says of them is noise with a clear symbol every second frame
(31 symbols: 12.5 characters a second) or every sixth (5,000 symbols: 4 pieces a second). The attention decoder of joint
decoding is that of ``asr/transformer`` (6 blocks, 4 heads, 2,048 hidden) of width 256, with fresh weights, and gets
the next symbols of a given text, so that texts are as long as real ones are. One thread.

Usage: python benchmarks/speech_decoding.py [--utterances 4]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from denas_asr.decoding.greedy import greedy
from denas_asr.decoding.joint import joint_beam
from denas_asr.decoding.prefix_beam import prefix_beam
from denas_asr.network.decoder import Decoder
from denas_asr.network.stepper import DecoderStepper

FRAMES, FRAME_SECONDS = 400, 0.04
SIZES = ((31, 2), (5000, 6))
"""Symbols, and frames of each one that is said."""
WIDTH = 256
CLEAR = 12.0


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--utterances", type=int, default=4, help="utterances of a batch")
    count = parser.parse_args().utterances
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print("| symbols | decoder | CPU-seconds a second of speech |\n|---|---|---|")
    for symbols, frames in SIZES:
        for name, seconds in measured(count, symbols, frames):
            print(f"| {symbols} | {name} | {seconds:.2g} |", flush=True)


def measured(count: int, symbols: int, frames: int) -> Iterator[tuple[str, float]]:
    """Yield each decoder with its CPU-seconds a second of speech."""
    logits, texts = said(count, symbols, frames)
    log_probs = logits.log_softmax(-1)
    network = Scripted(logits, texts).eval()
    encoded = torch.randn(count, FRAMES, WIDTH)
    second = FRAMES * FRAME_SECONDS
    yield "greedy", cpu_seconds(lambda: greedy(log_probs)) / (count * second)
    beams = cpu_seconds(lambda: [prefix_beam(utterance, 16) for utterance in log_probs])
    yield "beam 16", beams / (count * second)
    for utterances in (1, count):
        joint = cpu_seconds(
            lambda some=encoded[:utterances]: joint_beam(network, some, beam=8, ctc_weight=0.4)
        )
        yield f"joint, beam 8, batch of {utterances}", joint / (utterances * second)


def said(utterances: int, symbols: int, frames: int) -> tuple[Tensor, list[list[int]]]:
    """Return logits (utterances, frames, symbols), and the texts in them."""
    logits = 1.5 * torch.randn(utterances, FRAMES, symbols)
    clear = torch.zeros(utterances, FRAMES, dtype=torch.int64)
    clear[:, ::frames] = torch.randint(3, symbols, (utterances, -(-FRAMES // frames)))
    logits.scatter_add_(2, clear[..., None], torch.full((utterances, FRAMES, 1), CLEAR))
    return logits, [[symbol for symbol in row if symbol] for row in clear.tolist()]


class Scripted(nn.Module):
    """A network that recognises given texts, at the cost of its decoder."""

    def __init__(self, logits: Tensor, texts: list[list[int]]) -> None:
        super().__init__()
        self.logits, self.texts = logits, texts
        self.decoder = Decoder(
            logits.shape[2], WIDTH, layers=6, heads=4, hidden=2048, dropout=0.1, residual=True
        )
        self.output = nn.Linear(WIDTH, logits.shape[2])

    def ctc(self, encoded: Tensor) -> Tensor:
        """Return what CTC says."""
        return self.logits[: len(encoded)]

    def stepper(self, encoded: Tensor, encoded_lengths: Tensor) -> ScriptedStepper:
        """Return the decoder."""
        inside = torch.ones(encoded.shape[:2], dtype=torch.bool)
        return ScriptedStepper(
            DecoderStepper(self.decoder, self.output, encoded, inside), self.texts[: len(encoded)]
        )


class ScriptedStepper:
    """A decoder that makes the next symbol of a given text the most probable one."""

    def __init__(self, steps: DecoderStepper, texts: list[list[int]]) -> None:
        self.steps, self.texts, self.read = steps, texts, 0

    def step(self, symbols: Tensor, parents: Tensor) -> Tensor:
        """Return the logits of the next symbol."""
        logits = self.steps.step(symbols, parents)
        for row, text in zip(logits, self.texts, strict=True):
            row[:, text[self.read] if self.read < len(text) else 2] += CLEAR
        self.read += 1
        return logits

    def keep(self, utterances: Tensor) -> None:
        """Forget all utterances but these."""
        self.steps.keep(utterances)
        self.texts = [self.texts[place] for place in utterances.tolist()]


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return what the best of three runs takes."""
    found = []
    for _ in range(3):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return min(found)


if __name__ == "__main__":
    main()
