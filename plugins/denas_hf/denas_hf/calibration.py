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

if TYPE_CHECKING:
    from .space import Auto

BATCH = 32
"""Samples of a batch."""

LENGTHS = (12, 24, 48, 20)
"""Numbers of tokens of made texts, one after the other; all texts of a batch are equally long."""

SEED = 2
FIRST, LAST = ("[CLS]", "<s>"), ("[SEP]", "</s>")


def calibration_batches(space: Auto) -> list[Batch]:
    """Return the same batches in every process, on the CPU.

    They come from the data of the option ``calibration``. Without data, texts have words of the tokenizer in which the
    n-th word of the vocabulary is drawn with a frequency of about 1/n, because tokenizers list frequent words first.
    Images and sounds are noise.

    Raises:
        ConfigError: the data are missing, damaged or empty, or no installed task reads them.
    """
    if space.calibration:
        return _of_data(space)
    count = -(-space.calibration_samples // BATCH)
    words = _vocabulary(space.start.pretrained.tokenizer_file)
    return [_made(space, words, index) for index in range(count)]


def _of_data(space: Auto) -> list[Batch]:
    data = space.calibration_data()
    wanted = min(space.calibration_samples, len(data))
    if not wanted:
        raise ConfigError(f"calibration data {space.calibration!r} hold no sample; name other data")
    batch, _ = data.draw(wanted, seed=SEED)
    return [_part(batch, begin, min(begin + BATCH, wanted)) for begin in range(0, wanted, BATCH)]


def _part(batch: Batch, begin: int, end: int) -> Batch:
    """Return some samples of a batch."""

    def some(tensors: Any) -> dict[str, Tensor]:
        return {name: tensor[begin:end] for name, tensor in tensors.items()}

    return dataclasses.replace(batch, inputs=some(batch.inputs), masks=some(batch.masks))


def _made(space: Auto, words: _Words | None, index: int) -> Batch:
    from .modality import Sample

    original = space.start.original
    positions = original.positions or max(LENGTHS)
    tokens = min(LENGTHS[index % len(LENGTHS)], positions)
    sample = Sample(tokens=tokens, positions=original.positions, seconds=space.seconds)
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
