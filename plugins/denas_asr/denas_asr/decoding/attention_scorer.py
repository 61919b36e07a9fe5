"""Score the next symbol with the attention decoder of a network."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from .frames import check_finite
from .scorer import rows_of


class Network(Protocol):
    """A speech recogniser with a CTC head and an attention decoder; both return logits."""

    def ctc(self, encoded: Tensor) -> Tensor:
        """Return logits (utterances, frames, symbols) for encoded frames (utterances, frames, width)."""

    def decode(self, tokens: Tensor, encoded: Tensor, encoded_lengths: Tensor | None = None) -> Tensor:
        """Return the logits of the symbol after each of `tokens`, (utterances, symbols, vocabulary).

        The tokens begin with `BOS`.
        """


class Stepper(Protocol):
    """A decoder that reads the texts of a beam symbol by symbol; like `Scorer`, but it returns logits."""

    def step(self, symbols: Tensor, parents: Tensor) -> Tensor:
        """Read one more symbol in every row, and return the next logits, (utterances, rows, vocabulary)."""

    def keep(self, utterances: Tensor) -> None:
        """Keep only these utterances."""


@runtime_checkable
class Stepwise(Protocol):
    """A network whose decoder can continue a text without reading it again from the beginning."""

    def stepper(self, encoded: Tensor, encoded_lengths: Tensor) -> Stepper:
        """Return a stepper that has read no symbol yet, with one row for each utterance."""


class AttentionScorer:
    """Adds the log-probability that a network's decoder gives to the next symbol or to the end of the text."""

    def __init__(self, network: Network, encoded: Tensor, lengths: Tensor) -> None:
        """Make a scorer.

        Args:
            network: Its method `stepper` is used if it exists; otherwise `decode` reads the whole text for each symbol.
            encoded: (utterances, frames, width).
            lengths: Number of valid frames, (utterances,).
        """
        self._stepper: Stepper = (
            network.stepper(encoded, lengths)
            if isinstance(network, Stepwise)
            else WholeTexts(network, encoded, lengths)
        )

    def step(self, symbols: Tensor, parents: Tensor) -> Tensor:
        """Read one more symbol in every row, and return the score of each next symbol; see `Scorer`.

        Raises:
            NoResult: the decoder returns NaN or an infinite value.
        """
        logits = self._stepper.step(symbols, parents)
        check_finite(logits)
        return logits.double().log_softmax(-1)

    def keep(self, utterances: Tensor) -> None:
        """Keep only these utterances."""
        self._stepper.keep(utterances)


class WholeTexts:
    """A stepper for networks without one: the decoder reads each text from its beginning."""

    def __init__(self, network: Network, encoded: Tensor, lengths: Tensor) -> None:
        self._network = network
        self._encoded = encoded
        self._lengths = lengths
        self._texts = lengths.new_zeros(len(lengths), 1, 0)

    def step(self, symbols: Tensor, parents: Tensor) -> Tensor:
        """Read one more symbol in every row; see `Stepper`."""
        self._texts = torch.cat([rows_of(self._texts, parents), symbols[..., None]], -1)
        rows = symbols.shape[1]
        logits = self._network.decode(
            self._texts.flatten(0, 1),
            self._encoded.repeat_interleave(rows, 0),
            self._lengths.repeat_interleave(rows),
        )
        return logits[:, -1].reshape(*symbols.shape, -1)

    def keep(self, utterances: Tensor) -> None:
        """Keep only these utterances."""
        self._encoded = self._encoded[utterances]
        self._lengths = self._lengths[utterances]
        self._texts = self._texts[utterances]
