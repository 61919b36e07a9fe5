"""Build networks from configurations, with or without a head."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers.initialization import no_init_weights
from transformers.modeling_outputs import SequenceClassifierOutput
from transformers.models.auto import modeling_auto

from denas_core import NextTokenHead, PositionHead, TargetTokenHead, expand_mask
from denas_core.pretrained import silent_transformers

from .original import Original


class HeadedNetwork(nn.Module):
    """A base model with a head that transformers has no class for.

    Args:
        base: The base model.
        head: Module that takes the base model's pooled output, or the mean over positions if there is none; a
            `PositionHead` takes the features of each position.
    """

    def __init__(self, base: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.base = base
        self.head = head
        self.register_load_state_dict_pre_hook(_name_base)  # type: ignore[no-untyped-call]

    @property
    def base_model(self) -> nn.Module:
        """The base model, with the attribute name that transformers uses."""
        return self.base

    def forward(self, **inputs: Any) -> SequenceClassifierOutput:
        """Return the logits in the field ``logits``."""
        output = self.base(**inputs)
        if isinstance(self.head, PositionHead):
            taken = output.last_hidden_state
        else:
            taken = output.get("pooler_output")
            if taken is None:
                taken = _mean(output.last_hidden_state, inputs.get("attention_mask"))
        return SequenceClassifierOutput(logits=self.head(taken))


def build_network(original: Original, config: Any, *, head: nn.Module | None = None) -> nn.Module:
    """Return a network whose weights are not initialised.

    Args:
        original: The original network of the space.
        config: The configuration; it is changed to fit the head.
        head: A linear head is built by the matching transformers class with as many outputs; one with scores of tokens
            has an output for each token of the configuration. Any other module, or one without a matching class, is put
            after the base model; see `HeadedNetwork`.
    """
    name = _class_with(original, head)
    kind = _class_of(name, config)
    with silent_transformers(), no_init_weights(), torch.random.fork_rng(devices=[]):
        if kind is None or head is None:
            base = _made("AutoModel", config, original)
            network = base if head is None else HeadedNetwork(base, head)
        else:
            if not isinstance(head, (NextTokenHead, TargetTokenHead)):
                _adapt(config, head, original)
            network = _made(name, config, original)
    _use_fused_norms(network)
    if any(parameter.is_meta for parameter in network.parameters()):
        # A few constructors set a device themselves.
        network.to("meta")
    return network


def base_of(network: nn.Module) -> tuple[str, nn.Module]:
    """Return the base model in `network`, and the prefix of its parameters' names."""
    base: nn.Module = network.base_model  # type: ignore[assignment]
    name = next(name for name, module in network.named_modules() if module is base)
    return f"{name}." if name else "", base


def is_language_model(network: nn.Module) -> bool:
    """Return whether a network gives scores of tokens."""
    find = getattr(network, "get_output_embeddings", None)
    return find is not None and find() is not None


def own_head(original: Original) -> nn.Module | None:
    """Return a head for `build_network` with scores of tokens, if the original network is a language model.

    The names of its classes in the configuration say so. The head has no weights of its own here: `build_network` makes
    the one of the class.
    """
    modality, config = original.family.modality, original.config
    heads = {modality.next_token: NextTokenHead, modality.target_token: TargetTokenHead}
    for name, head in heads.items():
        kind = _class_of(name, config)
        if kind is not None and kind.__name__ in (config.architectures or ()):
            with torch.device("meta"):
                return head(original.dimensions.hidden, config.vocab_size)
    return None


def _class_with(original: Original, head: nn.Module | None) -> str:
    modality = original.family.modality
    if isinstance(head, NextTokenHead):
        return modality.next_token
    if isinstance(head, TargetTokenHead):
        return modality.target_token
    if isinstance(head, nn.Linear) and head.bias is None:
        return ""
    if isinstance(head, PositionHead):
        return modality.positional.get(head.out_features) or modality.positional.get(None, "")
    return modality.classifier if isinstance(head, nn.Linear) else ""


def _class_of(name: str, config: Any) -> Any:
    return getattr(modeling_auto, name)._model_mapping.get(type(config), None) if name else None


def _made(name: str, config: Any, original: Original) -> nn.Module:
    kind = getattr(modeling_auto, name)
    # If a mapping has several classes, the first that fits the configuration is used.
    config.architectures = config.architectures or []
    network: Any = kind.from_config(
        config, attn_implementation=original.family.attention, dtype=torch.float32
    )
    # Without it, encoder and decoder have tables of tokens of their own until weights are loaded, which count as more.
    network.tie_weights()
    made: nn.Module = network
    return made


def _adapt(config: Any, head: Any, original: Original) -> None:
    if config.num_labels != head.out_features:
        config.num_labels = head.out_features
    if (
        original.family.modality.next_token
        and getattr(config, "vocab_size", None)
        and getattr(config, "pad_token_id", None) is None
    ):
        # Decoders search for the last token that is not padding.
        ends = getattr(config, "eos_token_id", None)
        end = ends[0] if isinstance(ends, (list, tuple)) else ends
        config.pad_token_id = end if end is not None and 0 <= end < config.vocab_size else 0


def _name_base(module: nn.Module, tensors: dict[str, Any], prefix: str, *_: Any) -> None:
    """Rename the tensors of networks that nlp/bert saved while their base model was called ``bert``."""
    for name in [name for name in tensors if name.startswith(f"{prefix}bert.")]:
        tensors[f"{prefix}base.{name.removeprefix(f'{prefix}bert.')}"] = tensors.pop(name)


def _use_fused_norms(network: nn.Module) -> None:
    """Replace norms that transformers implements itself by equal torch modules, which scores recognise.

    The torch modules also compute in the precision of their input; those of transformers always compute in float32.
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
