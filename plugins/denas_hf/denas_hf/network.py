"""Networks: the structure of a configuration, with a head or without."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers.initialization import no_init_weights
from transformers.modeling_outputs import SequenceClassifierOutput
from transformers.models.auto import modeling_auto

from denas_core import PositionHead, expand_mask
from denas_core.pretrained import silent_transformers

from .original import Original


class HeadedNetwork(nn.Module):
    """A base model under a head that transformers has no class for.

    Args:
        base: The base model.
        head: Takes what the base model pools, or without that the mean over the positions; a `PositionHead` the
            features of each position.
    """

    def __init__(self, base: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.base = base
        self.head = head

    @property
    def base_model(self) -> nn.Module:
        """The base model, under the name that it has in transformers."""
        return self.base

    def forward(self, **inputs: Any) -> SequenceClassifierOutput:
        """Return the logits, in a field of this name."""
        output = self.base(**inputs)
        if isinstance(self.head, PositionHead):
            taken = output.last_hidden_state
        else:
            taken = output.get("pooler_output")
            if taken is None:
                taken = _mean(output.last_hidden_state, inputs.get("attention_mask"))
        return SequenceClassifierOutput(logits=self.head(taken))


def build_network(original: Original, config: Any, *, head: nn.Module | None = None) -> nn.Module:
    """Return the structure of a network; its weights mean nothing yet.

    Args:
        original: The network that the space begins with.
        config: The configuration, which is changed to fit the head.
        head: A linear head becomes that of the class that transformers has for it, with as many outputs; any other
            module, or one that transformers has no class for, is put behind the base model, see `HeadedNetwork`.
    """
    name = _class_with(original, head)
    kind = _class_of(name, config)
    with silent_transformers(), no_init_weights(), torch.random.fork_rng(devices=[]):
        if kind is None or head is None:
            base = _made("AutoModel", config, original)
            network = base if head is None else HeadedNetwork(base, head)
        else:
            _adapt(config, head)
            network = _made(name, config, original)
    _use_fused_norms(network)
    if any(parameter.is_meta for parameter in network.parameters()):
        # A few constructors name a device of their own.
        network.to("meta")
    return network


def base_of(network: nn.Module) -> tuple[str, nn.Module]:
    """Return the base model in `network`, and the prefix of its parameters' names there."""
    base: nn.Module = network.base_model  # type: ignore[assignment]
    name = next(name for name, module in network.named_modules() if module is base)
    return f"{name}." if name else "", base


def _class_with(original: Original, head: nn.Module | None) -> str:
    modality = original.family.modality
    if isinstance(head, PositionHead):
        return modality.positional.get(head.out_features) or modality.positional.get(None, "")
    return modality.classifier if isinstance(head, nn.Linear) else ""


def _class_of(name: str, config: Any) -> Any:
    return getattr(modeling_auto, name)._model_mapping.get(type(config), None) if name else None


def _made(name: str, config: Any, original: Original) -> nn.Module:
    kind = getattr(modeling_auto, name)
    # Where there are several classes, it is looked through.
    config.architectures = config.architectures or []
    network: nn.Module = kind.from_config(
        config, attn_implementation=original.family.attention, dtype=torch.float32
    )
    return network


def _adapt(config: Any, head: Any) -> None:
    if config.num_labels != head.out_features:
        config.num_labels = head.out_features
    if getattr(config, "vocab_size", None) and getattr(config, "pad_token_id", None) is None:
        # Decoders look for the last token that is no padding.
        ends = getattr(config, "eos_token_id", None)
        end = ends[0] if isinstance(ends, (list, tuple)) else ends
        config.pad_token_id = end if end is not None and 0 <= end < config.vocab_size else 0


def _use_fused_norms(network: nn.Module) -> None:
    """Replace norms that transformers writes by hand by equal ones of torch, which scores can see.

    Those take the precision of their input, too: by hand, they are in float32 even where all else is in float64.
    """
    for parent in list(network.modules()):
        for name, module in parent.named_children():
            if hasattr(module, "variance_epsilon") and [n for n, _ in module.named_parameters()] == [
                "weight"
            ]:
                setattr(parent, name, _fused(module))


def _fused(norm: Any) -> nn.RMSNorm:
    return nn.RMSNorm(norm.weight.shape, eps=norm.variance_epsilon, device=norm.weight.device)


def _mean(features: Tensor, mask: Tensor | None) -> Tensor:
    if mask is None or mask.shape != features.shape[:2]:
        return features.mean(1)
    weights = expand_mask(mask, features)
    return (features * weights).sum(1) / weights.sum(1).clamp(min=1)
