"""Decode speech with a decoder chosen by name; tasks and commands call this module."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol, get_args

import torch
from torch import Tensor

from denas_core.errors import ConfigError, did_you_mean, safe_repr

from .attention_scorer import Network
from .causal_model import CausalModel
from .frames import counted, log_probabilities
from .greedy import greedy
from .joint import joint_beam
from .language_scorer import SymbolFusion
from .ngram import NgramModel
from .prefix_beam import prefix_beam
from .word_model import WordFusion

Decoder = Literal["greedy", "beam", "joint"]

DECODERS = {
    "greedy": "the likeliest symbol of each frame (CTC)",
    "beam": "CTC prefix beam search, with an n-gram language model if one is given",
    "joint": "beam search with CTC and the attention decoder, with a language model if one is given",
}


class Vocabulary(Protocol):
    """The properties of a vocabulary that decoders use."""

    @property
    def pieces(self) -> Sequence[str]:
        """The text of each symbol; at the beginning of a word it starts with a space or SentencePiece's mark for one.

        The special symbols have an entry too, whose text is not used.
        """


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DecodingSettings:
    """Settings of decoding.

    Attributes:
        decode: One of `DECODERS`.
        beam: Number of texts kept at each step (beam, joint).
        ctc_weight: Weight of CTC in the score; the attention decoder has the remaining weight (joint).
        lm: Language model: ARPA text or a kenlm binary of words (beam, joint), or the folder of a causal model of
            transformers over the vocabulary's symbols (joint).
        lm_weight: Weight of the language model's log-probability.
        word_bonus: Added to the score for each word, or for each symbol with a model of symbols; used only with `lm`.
    """

    decode: Decoder = "greedy"
    beam: int = 10
    ctc_weight: float = 0.4
    lm: str | None = None
    lm_weight: float = 0.5
    word_bonus: float = 1.0

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            ConfigError: a setting is out of range, or settings contradict each other.
        """
        names = get_args(Decoder)
        if self.decode not in names:
            hint = did_you_mean(str(self.decode), names)
            raise ConfigError(
                f"there is no decoder {safe_repr(self.decode)}{hint or '; take ' + ', '.join(names)}"
            )
        if self.beam < 1:
            raise ConfigError(f"beam {self.beam} must be at least 1")
        if not 0 <= self.ctc_weight <= 1:
            raise ConfigError(f"ctc_weight {self.ctc_weight} must be from 0 to 1")
        if not 0 <= self.lm_weight < math.inf:
            raise ConfigError(f"lm_weight {self.lm_weight} must be 0 or more")
        if not math.isfinite(self.word_bonus):
            raise ConfigError(f"word_bonus {self.word_bonus} must be a finite number")
        if self.lm is not None and self.decode == "greedy":
            raise ConfigError(
                f"lm {safe_repr(self.lm)} is not used by greedy decoding; set decode to beam or joint"
            )


def read_language_model(
    settings: DecodingSettings, vocabulary: Vocabulary
) -> WordFusion | SymbolFusion | None:
    """Return the language model named in `settings`; None if they name none.

    Raises:
        ConfigError: the model cannot be read, the decoder does not support its kind, or it does not fit the vocabulary.
    """
    if settings.lm is None:
        return None
    path, pieces = Path(settings.lm), vocabulary.pieces
    if not path.exists():
        raise ConfigError(
            f"lm {safe_repr(settings.lm)} does not exist; give a file of n-grams, or the folder of a causal model"
        )
    if path.is_dir():
        if settings.decode != "joint":
            raise ConfigError(
                f"lm {safe_repr(settings.lm)} is a folder, but decode={settings.decode} needs a file of n-grams; "
                f"set decode to joint"
            )
        model = CausalModel(path, symbols=len(pieces))
        return SymbolFusion(model, weight=settings.lm_weight, bonus=settings.word_bonus)
    return WordFusion(NgramModel(path), pieces, weight=settings.lm_weight, bonus=settings.word_bonus)


@torch.no_grad()
def decode(
    settings: DecodingSettings,
    network: Network,
    encoded: Tensor,
    encoded_lengths: Tensor | None,
    vocabulary: Vocabulary,
    *,
    language_model: WordFusion | SymbolFusion | None = None,
) -> list[list[int]]:
    """Return the symbols of each utterance, without special ones.

    Args:
        settings: The decoder and its options.
        network: The network in evaluation mode.
        encoded: The encoder's output, (utterances, frames, width).
        encoded_lengths: Number of valid frames, (utterances,); None if all are valid. Padding does not change results.
        vocabulary: The network's vocabulary.
        language_model: The result of `read_language_model`, so that many batches share it; None reads the model here.

    Raises:
        ConfigError: the language model cannot be used, or the network lacks the attention decoder that is needed.
        NoResult: the network returns NaN or an infinite value.
    """
    if language_model is None:
        language_model = read_language_model(settings, vocabulary)
    if settings.decode == "joint":
        if not hasattr(network, "decode"):
            raise ConfigError(
                "decode=joint needs an attention decoder, and the network has none; use greedy or beam"
            )
        texts = joint_beam(
            network,
            encoded,
            encoded_lengths,
            beam=settings.beam,
            ctc_weight=settings.ctc_weight,
            lm=language_model,
        )
        return [list(found[0].symbols) for found in texts]
    logits = network.ctc(encoded)
    if settings.decode == "greedy":
        return greedy(logits, encoded_lengths)
    if isinstance(language_model, SymbolFusion):
        raise ConfigError(
            "decode=beam needs a language model of words; for a model of symbols, set decode to joint"
        )
    lengths = counted(logits, encoded_lengths).tolist()
    return [
        list(prefix_beam(log_probabilities(values[:length]), settings.beam, language_model)[0].symbols)
        for values, length in zip(logits, lengths, strict=True)
    ]
