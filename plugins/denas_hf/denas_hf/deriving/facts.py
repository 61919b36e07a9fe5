"""What a network is given besides its sizes: positions, token types, masks, groups of convolutions."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn
from transformers.initialization import no_init_weights
from transformers.models.auto import modeling_auto

from denas_core.pretrained import silent_transformers
from denas_hf.modality import Modality

from .growth import Growth
from .inputs import has_class
from .keys import POSITIONS, Keys
from .patterns import Patterns
from .silence import Probe
from .units import Unit


def positions_of(config: Any, probe: Probe) -> tuple[str, str]:
    """Return the keys with the number of positions and with the number before the first; each may be empty."""
    values = vars(config)
    for key in POSITIONS:
        count = values.get(key)
        if not isinstance(count, int) or count < 1:
            continue
        tables = {
            name: seen
            for name, seen in probe.seen.items()
            if seen.dim() == 2 and count <= seen.shape[0] <= count + 8 and "token" not in name
        }
        if (
            not tables
            and key == "n_positions"
            and not any("inv_freq" in n for n, _ in probe.network.named_buffers())
        ):
            continue
        padding = values.get("pad_token_id")
        rows = [int(torch.nonzero(seen.any(1)).min()) for seen in tables.values() if seen.shape[0] == count]
        begins_late = padding is not None and any(row == padding + 1 for row in rows)
        return key, "pad_token_id" if begins_late else ""
    return "", ""


def token_types_of(config: Any, network: nn.Module, first_position: str) -> str:
    """Return the key with the number of token types; empty if the network has none, or one like RoBERTa."""
    takes = inspect.signature(network.forward).parameters
    key = "type_vocab_size"
    return key if key in vars(config) and "token_type_ids" in takes and not first_position else ""


def blocks_of(config: Any, network: nn.Module, hidden: int) -> tuple[str, int]:
    """Return the key and the number of the groups of a convolution of the hidden features; "" and 1 without one."""
    for module in network.modules():
        if isinstance(module, nn.Conv1d) and 1 < module.groups < hidden and module.out_channels == hidden:
            for key, value in vars(config).items():
                if "group" in key and value == module.groups:
                    return key, module.groups
    return "", 1


def meta_mask_of(
    network: nn.Module, inputs: Mapping[str, Tensor], arguments: Mapping[str, Any]
) -> Literal["", "row", "square", "decoder"] | None:
    """Return the mask that the network needs on the meta device; None if it needs values there."""
    tokens = inputs.get("input_ids", inputs.get("decoder_input_ids"))
    # Costs are those of one sample, for which transformers looks for several texts in it.
    given = {name: tensor[:1].to("meta") for name, tensor in inputs.items() if name != "attention_mask"}
    masks: dict[Literal["", "row", "square", "decoder"], tuple[int, ...]] = {"": ()}
    if tokens is not None:
        length = tokens.shape[1]
        masks |= {"square": (1, 1, length, length), "row": (1, length)}
        masks |= {"decoder": (1, 1, length, length)} if "decoder_input_ids" in inputs else {}
    for mask, shape in masks.items():
        argument = "decoder_attention_mask" if mask == "decoder" else "attention_mask"
        extra = {argument: torch.empty(shape, dtype=torch.bool, device="meta")} if mask else {}
        try:
            with torch.device("meta"):
                network(**given, **extra, **arguments, return_dict=True)
        # Networks stop with errors of any kind if a value is missing.
        except Exception:
            continue
        return mask
    return None


def ratio_of(keys: Keys, growth: Growth, patterns: Patterns, units: Sequence[Unit]) -> int:
    """Return the width of feed-forward layers as a multiple of the hidden width, for networks without a key for it."""
    hidden = getattr(growth.config, keys.hidden)
    for unit in units if not keys.intermediate else ():
        if unit.axis == "ffn":
            dimension = next(at for pattern, at in unit.terms if pattern == unit.reader)
            return int(growth.length("", patterns.names[unit.reader][0], dimension) // hidden)
    return 4


BIAS_IN_A_BUFFER = "final_logits_bias"
"""The bias of the scores of tokens in Bart and its relatives."""


def token_head_of(config: Any, modality: Modality) -> dict[str, str]:
    """Return the rules of the weights that give the scores of tokens, which are not in the base model."""
    name = modality.next_token or modality.target_token
    if not name or not has_class(name, config):
        return {"lm_head.weight": "_ hidden"}
    with silent_transformers(), no_init_weights(), torch.device("meta"):
        network = getattr(modeling_auto, name).from_config(config)
    head = network.get_output_embeddings()
    path = next((path for path, module in network.named_modules() if module is head), "lm_head")
    rules = {f"{path}.weight": "_ hidden", f"{path}.bias": "_", BIAS_IN_A_BUFFER: "_ _"}
    return {name: rule for name, rule in rules.items() if name in network.state_dict()}
