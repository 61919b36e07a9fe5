"""Calibration batches: the user's data, or texts that are made of the words of the tokenizer."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from denas_core import Batch
from denas_core.errors import ConfigError, describe_error

from .modality import Sample
from .original import Original

if TYPE_CHECKING:
    from denas_core import ScoringData

BATCH = 32
"""Samples of a batch."""

LENGTHS = (12, 24, 48, 20)
"""Numbers of tokens of made texts, one after the other; all texts of a batch are equally long."""

SEED = 2
FIRST, LAST = ("[CLS]", "<s>"), ("[SEP]", "</s>")


def calibration_batches(
    original: Original, tokenizer: Path | None, *, samples: int, seconds: float
) -> list[Batch]:
    """Return made batches, the same ones in every process, on the CPU.

    Texts have words of the tokenizer, of which the n-th one in the vocabulary is drawn with a frequency of about 1/n,
    because tokenizers list frequent words first. Images and sounds are noise.

    Args:
        original: The network of the checkpoint.
        tokenizer: Its tokenizer file; without one, tokens are drawn from the whole vocabulary.
        samples: Number of samples, rounded up to whole batches.
        seconds: Length of a sound.

    Raises:
        ConfigError: the tokenizer is damaged.
    """
    words = _vocabulary(tokenizer)
    return [_made(original, words, seconds, index) for index in range(-(-samples // BATCH))]


def data_batches(data: ScoringData, samples: int) -> list[Batch]:
    """Return batches of so many samples of a data set, or of all if it has fewer, on the CPU.

    Raises:
        ConfigError: the data set has no sample.
    """
    wanted = min(samples, len(data))
    if not wanted:
        raise ConfigError(f"calibration data {str(data.path)!r} hold no sample; name other data")
    batch, _ = data.draw(wanted, seed=SEED)
    return [_part(batch, begin, min(begin + BATCH, wanted)) for begin in range(0, wanted, BATCH)]


def _part(batch: Batch, begin: int, end: int) -> Batch:
    """Return some samples of a batch."""

    def some(tensors: Any) -> dict[str, Tensor]:
        return {name: tensor[begin:end] for name, tensor in tensors.items()}

    return dataclasses.replace(batch, inputs=some(batch.inputs), masks=some(batch.masks))


def _made(original: Original, words: _Words | None, seconds: float, index: int) -> Batch:
    positions = original.positions or max(LENGTHS)
    tokens = min(LENGTHS[index % len(LENGTHS)], positions)
    sample = Sample(tokens=tokens, positions=original.positions, seconds=seconds)
    modality = original.family.modality
    batch = modality.batch(
        original.config, sample, BATCH, seed=SEED + index, kind="noise", token_types=original.token_types
    )
    if words is None or "input_ids" not in batch.inputs:
        return batch
    generator = torch.Generator().manual_seed(SEED + index)
    frequencies = 1 / (torch.arange(len(words.ids), dtype=torch.float64) + 10)
    drawn = torch.multinomial(frequencies, BATCH * tokens, replacement=True, generator=generator)
    ids = words.ids[drawn].reshape(BATCH, tokens)
    if tokens > 2:
        for place, token in ((0, words.first), (-1, words.last)):
            if token is not None:
                ids[:, place] = token
    ids = ids.clamp(max=original.config.vocab_size - 1)
    inputs = {**batch.inputs, "input_ids": ids}
    if "attention_mask" in inputs:
        inputs["attention_mask"] = torch.ones_like(inputs["attention_mask"])
    masks = {name: torch.ones_like(mask) for name, mask in batch.masks.items()}
    return dataclasses.replace(batch, inputs=inputs, masks=masks)


@dataclasses.dataclass(frozen=True, slots=True)
class _Words:
    """The ids of the words of a vocabulary, in its order, and of the tokens that begin and end a text."""

    ids: Tensor
    first: int | None
    last: int | None


def _vocabulary(path: Path | None) -> _Words | None:
    """Return the words of a tokenizer; None if it has no list of words."""
    if path is None:
        return None
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            listed = json.loads(text)["model"]["vocab"]
            if isinstance(listed, list):
                listed = {entry[0]: index for index, entry in enumerate(listed)}
            ids = {str(token): int(index) for token, index in listed.items()}
        else:
            ids = {token: index for index, token in enumerate(text.splitlines())}
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise ConfigError(
            f"{str(path)!r} is not a tokenizer: {describe_error(error)}; download the checkpoint again"
        ) from error
    words = sorted(index for token, index in ids.items() if _is_word(token))
    if not words:
        return None
    first, last = (next((ids[token] for token in names if token in ids), None) for names in (FIRST, LAST))
    return _Words(torch.tensor(words), first, last)


def _is_word(token: str) -> bool:
    return any(map(str.isalpha, token)) and token[0] not in "[<"
