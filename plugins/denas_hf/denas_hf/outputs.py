"""Outputs of networks: the last hidden states, and the logits if there is a head."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from denas_core import Batch, Outputs

from .family import Family
from .network import base_of
from .original import Original


def outputs_of(original: Original, network: nn.Module, batch: Batch) -> Outputs:
    """Return features (samples, positions, hidden) and logits; without a head the logits are the features.

    If the network's class has no separate base model, the features are the logits.
    """
    family = original.family
    config = network.base_model.config  # type: ignore[union-attr]
    inputs = family.modality.completed(config, batch.inputs)
    arguments = {**_on_meta(family, inputs), **inputs}
    _, base = base_of(network)
    with _watched(base) as seen:
        output = network(**arguments, **family.arguments, return_dict=True)
    if base is network and "last_hidden_state" in output:
        logits = {name: output[field] for name, field in family.modality.states.items()}
    elif "start_logits" in output:
        logits = {"logits": torch.stack([output.start_logits, output.end_logits], -1)}
    else:
        logits = {"logits": output.logits}
    features = seen[-1].get("last_hidden_state")
    masks = dict(batch.masks)
    for name, tensor in logits.items():
        if "features" in masks and tensor.shape[:2] == masks["features"].shape and tensor.dim() == 3:
            masks.setdefault(name, masks["features"])
    return Outputs(
        features=next(iter(logits.values())) if features is None else features, logits=logits, masks=masks
    )


def _on_meta(family: Family, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a mask if the network would otherwise read one from `inputs`, which have no values on the meta device."""
    prefix = "decoder_" if family.meta_mask == "decoder" else ""
    tokens = inputs.get(f"{prefix}input_ids")
    if tokens is None or not tokens.is_meta or not family.meta_mask:
        return {}
    length = tokens.shape[1]
    shape = tuple(tokens.shape) if family.meta_mask == "row" else (len(tokens), 1, length, length)
    return {f"{prefix}attention_mask": tokens.new_empty(shape, dtype=torch.bool)}


@contextlib.contextmanager
def _watched(base: nn.Module) -> Iterator[list[Any]]:
    """Yield a list that collects the outputs of `base`."""
    seen: list[Any] = []
    handle = base.register_forward_hook(lambda module, inputs, output: seen.append(output))
    try:
        yield seen
    finally:
        handle.remove()
