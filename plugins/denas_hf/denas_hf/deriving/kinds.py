"""The kinds of weights, by which scores find them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import nn
from transformers.pytorch_utils import Conv1D

from .patterns import Patterns
from .units import Unit

_MATRICES = (nn.Linear, Conv1D, nn.Conv1d, nn.Conv2d)


def kinds_of(
    network: nn.Module, patterns: Patterns, terms: Mapping[str, Sequence[str]], units: Sequence[Unit]
) -> dict[str, str]:
    """Return the kinds by pattern; biases, norms and positions that are no table have none."""
    kinds: dict[str, str] = {}
    # The second name of a tied table is left out, as the table counts once.
    own_names = {name for name, _ in network.named_parameters()}
    for pattern, names in patterns.names.items():
        module = _module(network, names[0])
        if (
            names[0] not in own_names
            or not names[0].endswith(".weight")
            or patterns.stack(pattern)
            or module is None
        ):
            continue
        own, leaf = terms[pattern], names[0].split(".")[-2]
        if isinstance(module, nn.Embedding):
            # Relative positions are not added to tokens.
            if "rel" not in leaf and not any("heads" in term for term in own):
                kinds[pattern] = "embed"
        elif isinstance(module, _MATRICES) and own[0] == "hidden" and set(own[1:]) == {"_"}:
            kinds[pattern] = "embed"
    for unit in units:
        is_attention = unit.axis != "ffn"
        kinds[unit.reader] = "attention.out" if is_attention else "ffn.out"
        for pattern, _ in unit.terms:
            if pattern == unit.reader or len(terms[pattern]) < 2:
                continue
            kind = _attention_kind(pattern, terms[pattern]) if is_attention else "ffn.in"
            if kind and isinstance(_module(network, patterns.names[pattern][0]), _MATRICES):
                kinds[pattern] = kind
    return kinds


def kind_by_module(network: nn.Module, name: str) -> str:
    """Return the kind of a weight by its module and its name alone; empty for norms and biases."""
    module = _module(network, name)
    if not name.endswith(".weight") or not isinstance(module, _MATRICES):
        return ""
    if not isinstance(module, (nn.Linear, Conv1D)):
        return "conv"
    return _attention_kind(name, ()) or "ffn"


def _attention_kind(pattern: str, terms: Sequence[str]) -> str:
    if any(term.startswith("(3 ") for term in terms):
        return "attention.q attention.k attention.v"
    leaf = pattern.split(".")[-2]
    is_fused = any(part in leaf for part in ("qkv", "query_key_value", "c_attn"))
    if leaf[0] in "qkv" and not is_fused:
        return f"attention.{leaf[0]}"
    last = leaf.rpartition("_")[2]
    return f"attention.{last}" if last in ("q", "k", "v") else ""


def _module(network: nn.Module, name: str) -> nn.Module | None:
    try:
        return network.get_submodule(name.rpartition(".")[0])
    except AttributeError:
        return None
