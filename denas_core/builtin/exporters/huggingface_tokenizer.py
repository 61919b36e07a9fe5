"""Write the tokenizer of a text model for transformers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denas_core.pretrained.tokenizer import tokenizer_json
from denas_core.system.atomic import write_atomically, write_json

if TYPE_CHECKING:
    from transformers import PretrainedConfig

    from denas_core.contracts.trained_model import TrainedModel

FACT = "tokenizer"
"""Name of the text of ``tokenizer.json`` in the facts of a task, and of its file in the assets of a space."""

FILE = "tokenizer.json"

CLASS = "PreTrainedTokenizerFast"
"""This class uses a ``tokenizer.json`` without changes. The classes of model families replace some of its parts."""

SPECIAL = {
    "unk_token": ("[UNK]", "<unk>", "<|endoftext|>"),
    "pad_token": ("[PAD]", "<pad>", "<|pad|>"),
    "cls_token": ("[CLS]", "<s>"),
    "sep_token": ("[SEP]", "</s>"),
    "mask_token": ("[MASK]", "<mask>"),
    "bos_token": ("<s>", "<|startoftext|>", "<|begin_of_text|>", "<|endoftext|>"),
    "eos_token": ("</s>", "<|end_of_text|>", "<|endoftext|>"),
}
"""Texts of each special token in the families of models."""


def tokenizer_text(model: TrainedModel) -> str | None:
    """Return the text of ``tokenizer.json`` from the training of the network, else from its space, else None.

    Raises:
        StorageError: the file cannot be read.
    """
    if isinstance(text := model.facts.get(FACT), str):
        return text
    path = model.space.assets().get(FACT)
    return None if path is None else tokenizer_json(path)


def write_tokenizer(
    directory: Path,
    text: str,
    config: PretrainedConfig,
    inputs: Sequence[str],
    *,
    longest: int | None = None,
) -> None:
    """Write a tokenizer into the folder of a network.

    Args:
        directory: The folder.
        text: The content of ``tokenizer.json``.
        config: The configuration of the network, which may name special tokens by their numbers.
        inputs: Names of the inputs of the network. The tokenizer must return only these.
        longest: Tokens of the longest text of the training; None if the network was not trained on texts.
    """
    document: dict[str, Any] = {
        "tokenizer_class": CLASS,
        **_special_tokens(json.loads(text), config),
        "model_input_names": list(inputs),
        "clean_up_tokenization_spaces": False,
    }
    limits = [limit for limit in (longest, _positions(config)) if limit]
    if limits:
        document["model_max_length"] = min(limits)
    write_atomically(directory / FILE, text)
    write_json(directory / "tokenizer_config.json", document)


def _special_tokens(tokenizer: Mapping[str, Any], config: PretrainedConfig) -> dict[str, str]:
    # The token for unknown words may be an ordinary token of the vocabulary. All others are marked as special.
    marked = {token["id"]: token["content"] for token in tokenizer["added_tokens"] if token["special"]}
    known = {*marked.values(), tokenizer["model"].get("unk_token")}
    found: dict[str, str] = {}
    for name, texts in SPECIAL.items():
        numbered = marked.get(getattr(config, f"{name}_id", None))
        token = next((text for text in texts if text in known), numbered)
        if token is not None:
            found[name] = token
    return found


def _positions(config: PretrainedConfig) -> int | None:
    positions: int | None = getattr(config, "max_position_embeddings", None)
    if positions is None or positions < 1:
        return None
    # In RoBERTa and related models, the number of the first position is one more than the number of the padding token.
    is_offset = "roberta" in config.model_type or config.model_type in ("camembert", "longformer", "mpnet")
    return positions - config.pad_token_id - 1 if is_offset else positions
