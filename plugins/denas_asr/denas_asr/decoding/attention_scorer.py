"""What the attention decoder of a network says of the next symbol."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from .frames import refuse_infinite
from .scorer import rows_of


class Network(Protocol):
    """A network that recognises speech, with a CTC read-out and an attention decoder; logits everywhere."""

    def ctc(self, encoded: Tensor) -> Tensor:
        """Return (utterances, frames, symbols) of encoded frames (utterances, frames, width)."""

    def decode(self, tokens: Tensor, encoded: Tensor, encoded_lengths: Tensor | None = None) -> Tensor:
        """Return what comes behind each of `tokens`, (utterances, symbols, vocabulary); they begin with `BOS`."""


class Stepper(Protocol):
    """A decoder that has read some symbols of each row of a beam; as `Scorer`, but it returns logits."""

    def step(self, symbols: Tensor, parents: Tensor) -> Tensor:
        """Read a symbol more in every row, and return the logits of the next, (utterances, rows, vocabulary)."""

    def keep(self, utterances: Tensor) -> None:
        """Forget all utterances but these."""


@runtime_checkable
class Stepwise(Protocol):
    """A network whose decoder needs not read a text anew for each symbol more."""

    def stepper(self, encoded: Tensor, encoded_lengths: Tensor) -> Stepper:
        """Return its decoder before the first symbol, with one row an utterance."""


class AttentionScorer:
    """Adds the log-probability that a network's decoder gives to the next symbol, or to the end."""

    def __init__(self, network: Network, encoded: Tensor, lengths: Tensor) -> None:
        """Make a scorer.

        Args:
            network: Its method `stepper` is used where it has one, else `decode`, of the whole text for each symbol.
            encoded: (utterances, frames, width).
            lengths: Frames that count, (utterances,).
        """
        self._stepper: Stepper = (
            network.stepper(encoded, lengths)
            if isinstance(network, Stepwise)
            else WholeTexts(network, encoded, lengths)
        )

    def step(self, symbols: Tensor, parents: Tensor) -> Tensor:
        """Read a symbol more in every row, and return what each next symbol adds; see `Scorer`.

        Raises:
            NoResult: the decoder puts out NaN or an infinite value.
        """
        logits = self._stepper.step(symbols, parents)
        refuse_infinite(logits)
        return logits.double().log_softmax(-1)

    def keep(self, utterances: Tensor) -> None:
        """Forget all utterances but these."""
        self._stepper.keep(utterances)


class WholeTexts:
    """A stepper for networks without one: the decoder reads each text from its beginning."""

    def __init__(self, network: Network, encoded: Tensor, lengths: Tensor) -> None:
        self._network = network
        self._encoded = encoded
        self._lengths = lengths
        self._texts = lengths.new_zeros(len(lengths), 1, 0)

    def step(self, symbols: Tensor, parents: Tensor) -> Tensor:
        """Read a symbol more in every row; see `Stepper`."""
        self._texts = torch.cat([rows_of(self._texts, parents), symbols[..., None]], -1)
        rows = symbols.shape[1]
        logits = self._network.decode(
            self._texts.flatten(0, 1),
            self._encoded.repeat_interleave(rows, 0),
            self._lengths.repeat_interleave(rows),
        )
        return logits[:, -1].reshape(*symbols.shape, -1)

    def keep(self, utterances: Tensor) -> None:
        """Forget all utterances but these."""
        self._encoded = self._encoded[utterances]
        self._lengths = self._lengths[utterances]
        self._texts = self._texts[utterances]
