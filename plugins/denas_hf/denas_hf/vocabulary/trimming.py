"""Write a copy of a checkpoint with fewer tokens, and compare both."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from denas_core.errors import ConfigError, Infeasible, PluginError
from denas_core.pretrained import Pretrained, read_json
from denas_hf.inheriting import network_of
from denas_hf.modality import Sample
from denas_hf.original import Original
from denas_hf.outputs import outputs_of

from .choosing import choose_tokens
from .counting import count_tokens
from .rows import VOCABULARY, check_rows, write_rows
from .token_settings import named_tokens, renumbered, write_settings
from .tokenizer_file import FILE, read_tokenizer

if TYPE_CHECKING:
    from denas_core import ScoringData

CONFIG, GENERATION = "config.json", "generation_config.json"
TOKENIZER_CONFIG, SPECIAL_TOKENS = "tokenizer_config.json", "special_tokens_map.json"
COMPARED = 128
"""Tokens of the text with which both networks are compared."""


def trim_vocabulary(
    original: Original, pretrained: Pretrained, directory: Path, *, tokens: int, data: ScoringData | None
) -> dict[str, int]:
    """Write a copy of a checkpoint that knows fewer tokens; see `CheckpointSpace.trim_vocabulary`.

    Args:
        original: The network of the checkpoint.
        pretrained: The checkpoint.
        directory: Folder of the copy, which exists and is empty.
        tokens: Tokens to keep.
        data: Data whose tokens are kept first.

    Raises:
        ConfigError: the checkpoint has no weights, or no tokenizer whose tokens can be chosen, or too few tokens are
            asked for.
    """
    if not pretrained.has_weights or pretrained.files is None:
        raise ConfigError("a smaller vocabulary needs a checkpoint with weights")
    check_rows(original)
    rows: int = getattr(original.config, VOCABULARY)
    if not 0 < tokens < rows:
        raise ConfigError(f"the vocabulary has {rows} tokens, so {tokens} are not a part of them")
    source = pretrained.files.directory
    settings = {name: read_json(source / name) for name in (CONFIG, GENERATION) if (source / name).is_file()}
    tokenizer = read_tokenizer(pretrained.files)
    if (last := max(tokenizer.ids.values())) >= rows:
        raise ConfigError(
            f"the tokenizer has a token number {last}, but the network has only {rows} rows for tokens"
        )
    needed = {number for number in named_tokens(settings) if 0 <= number < rows}
    counts = count_tokens(data)
    kept = choose_tokens(tokenizer.pieces, wanted=tokens, counts=counts, needed=needed | tokenizer.added)
    numbers = {old: new for new, old in enumerate(kept)}
    (directory / FILE).write_text(tokenizer.without(numbers), encoding="utf-8")
    settings[CONFIG][VOCABULARY] = len(kept)
    for name, values in settings.items():
        write_settings(directory / name, renumbered(values, numbers))
    _write_classes(source, directory, numbers)
    write_rows(pretrained.files, directory, kept=kept, tokens=rows)
    _check_outputs(original, pretrained, directory, kept)
    return {
        "tokens": len(kept),
        "tokens_of_checkpoint": rows,
        "tokens_of_data": len(counts),
        "tokens_of_data_kept": len(counts.keys() & numbers.keys()),
    }


def _write_classes(source: Path, directory: Path, numbers: dict[int, int]) -> None:
    """Copy the settings of the tokenizer's class, which list added tokens by their numbers."""
    if (source / SPECIAL_TOKENS).is_file():
        write_settings(directory / SPECIAL_TOKENS, read_json(source / SPECIAL_TOKENS))
    if not (source / TOKENIZER_CONFIG).is_file():
        return
    values = read_json(source / TOKENIZER_CONFIG)
    listed: dict[str, Any] = values.get("added_tokens_decoder") or {}
    if listed:
        values["added_tokens_decoder"] = {
            str(numbers[int(old)]): token for old, token in listed.items() if int(old) in numbers
        }
    write_settings(directory / TOKENIZER_CONFIG, values)


def _check_outputs(original: Original, pretrained: Pretrained, directory: Path, kept: Sequence[int]) -> None:
    """Check that the copy computes the same for the tokens that it has. A network larger than memory is not run.

    Raises:
        PluginError: it does not.
    """
    copy = Pretrained.open(str(directory))
    length = min(COMPARED, original.positions or COMPARED)
    places = torch.linspace(0, len(kept) - 1, length).long()
    try:
        expected = _features(original, pretrained, torch.tensor(kept)[places])
        found = _features(Original(copy.config, original.family), copy, places)
    except Infeasible:
        return
    if not torch.allclose(found, expected, rtol=1e-4, atol=1e-5):
        raise PluginError(
            f"the copy with {len(kept)} tokens does not compute the same as the checkpoint; please report the model "
            f"type {original.config.model_type!r}"
        )


def _features(original: Original, pretrained: Pretrained, text: Tensor) -> Tensor:
    """Return the features of a text with the network of a checkpoint."""
    sample = Sample(tokens=len(text), positions=original.positions, seconds=1.0)
    batch = original.family.modality.batch(
        original.config, sample, 1, seed=0, kind="noise", token_types=original.token_types
    )
    batch = dataclasses.replace(batch, inputs={**batch.inputs, "input_ids": text[None]})
    with torch.inference_mode():
        features: Tensor = outputs_of(original, network_of(original, pretrained), batch).features
    return features
