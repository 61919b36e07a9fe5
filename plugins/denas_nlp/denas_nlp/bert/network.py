"""The networks of the space: transformers' own classes if they support the sizes, otherwise those in `hf`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import (
    BertConfig,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertForTokenClassification,
    BertModel,
    PreTrainedModel,
)
from transformers.activations import ACT2FN
from transformers.initialization import no_init_weights
from transformers.models.bert.modeling_bert import BertOutput, BertSelfOutput

from denas_core import Batch, Outputs, PositionHead, WeightView, initialise, views_by_module
from denas_core.errors import ConfigError, PluginError, did_you_mean

from .hf import (
    DenasBertConfig,
    DenasBertForQuestionAnswering,
    DenasBertForSequenceClassification,
    DenasBertForTokenClassification,
    DenasBertModel,
)
from .shape import Shape

_STOCK = (BertModel, BertForQuestionAnswering, BertForTokenClassification, BertForSequenceClassification)
_OWN = (
    DenasBertModel,
    DenasBertForQuestionAnswering,
    DenasBertForTokenClassification,
    DenasBertForSequenceClassification,
)
_HEADS = ("qa_outputs", "classifier", "head")
"""Names of the head module in the network classes."""


class PooledNetwork(nn.Module):
    """A network with a head that transformers has no class for; the head takes pooled features (samples, hidden)."""

    def __init__(self, bert: BertModel, head: nn.Module) -> None:
        super().__init__()
        self.bert = bert
        self.head = head

    def forward(self, **inputs: Tensor) -> Tensor:
        """Return the head's output for the pooled features."""
        output: Tensor = self.head(self.bert(**inputs).pooler_output)
        return output


def config_of(shape: Shape, common: Mapping[str, Any]) -> BertConfig:
    """Return the configuration of a network: a `BertConfig` if its heads divide the hidden width.

    Raises:
        ConfigError: transformers does not have the activation.
    """
    activation = common["hidden_act"]
    if activation not in ACT2FN:
        hint = did_you_mean(activation, ACT2FN) or "; see transformers.activations"
        raise ConfigError(f"transformers has no activation {activation!r} (hidden_act){hint}")
    values: dict[str, Any] = {
        **common,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "hidden_size": shape.hidden,
        "intermediate_size": shape.intermediate,
    }
    if shape.is_stock:
        return BertConfig(**values)
    return DenasBertConfig(**values, attention_head_size=shape.head_size)


def build_network(
    shape: Shape, common: Mapping[str, Any], *, head: nn.Module | None = None, residual: bool = True
) -> nn.Module:
    """Return a network whose weights are not initialised.

    Args:
        shape: The sizes of the network.
        common: The other keys of its configuration.
        head: A `PositionHead` with two outputs gives a network for question answering, any other `PositionHead` one for
            token classification, and a linear layer one for text classification. Other modules take pooled features.
        residual: Whether layers have residual connections.

    Raises:
        PluginError: the head expects a different number of features.
    """
    config: Any = config_of(shape, common)
    classes: Any = _STOCK if shape.is_stock else _OWN
    base, answering, tokens, texts = classes
    network: Any
    # `initialise_network` sets the weights.
    with no_init_weights():
        if head is None:
            network = base(config)
        elif not isinstance(head, nn.Linear) or head.bias is None:
            network = PooledNetwork(base(config), head)
        elif head.in_features != shape.hidden:
            raise PluginError(f"a head for {head.in_features} features does not fit a BERT of {shape.hidden}")
        else:
            config.num_labels = head.out_features
            if not isinstance(head, PositionHead):
                network = texts(config)
            else:
                network = answering(config) if head.out_features == 2 else tokens(config)
            setattr(network, "qa_outputs" if hasattr(network, "qa_outputs") else "classifier", head)
    if not residual:
        for module in network.modules():
            if isinstance(module, (BertSelfOutput, BertOutput)):
                module.register_forward_pre_hook(_without_residual)
    built: nn.Module = network
    return built


def initialise_network(
    network: nn.Module, *, seed: int, weights: Mapping[str, Tensor] | None = None
) -> nn.Module:
    """Move a network to the CPU and give it weights; the global random generator is not changed.

    Args:
        network: A network from `build_network`.
        seed: Seed for fresh weights, which are drawn as in transformers.
        weights: Inherited weights of the network without its head, by name; all other weights are fresh.

    Raises:
        PluginError: `weights` do not fit this network.
    """
    is_on_meta = any(tensor.is_meta for tensor in (*network.parameters(), *network.buffers()))
    network = network.to_empty(device="cpu") if is_on_meta else network.to("cpu")
    given = _copied(_base(network), weights or {})
    if isinstance(network, PooledNetwork):
        initialise(network.head, seed=seed)
    model: Any = network if isinstance(network, PreTrainedModel) else _base(network)
    # transformers does not initialise parameters with this mark again.
    for module in model.modules():
        module._is_hf_initialized = False
    for parameter in given:
        parameter._is_hf_initialized = True  # type: ignore[attr-defined]
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        model.initialize_weights()
    for marked in (*model.modules(), *given):
        del marked._is_hf_initialized
    return network


def outputs_of(network: nn.Module, batch: Batch) -> Outputs:
    """Return the last hidden states (samples, tokens, hidden) and the logits of a network's head.

    There are logits for each token or for the whole text; without a head, the logits are the hidden states.
    """
    base, last = _base(network), cast("Any", network)
    output = base(**batch.inputs)
    features, masks = output.last_hidden_state, dict(batch.masks)
    if network is base:
        logits = features
    elif isinstance(network, BertForQuestionAnswering):
        logits = network.qa_outputs(features)
    elif isinstance(network, BertForTokenClassification):
        logits = network.classifier(network.dropout(features))
    elif isinstance(network, BertForSequenceClassification):
        logits = network.classifier(network.dropout(output.pooler_output))
    else:
        logits = last.head(output.pooler_output)
    if logits.dim() == 3 and "features" in masks:
        masks.setdefault("logits", masks["features"])
    return Outputs(features=features, logits={"logits": logits}, masks=masks)


def views_of(network: nn.Module) -> list[WeightView]:
    """Return the weights by role: embeddings are layer 0, followed by the layers, then pooler and head."""
    base = _base(network)
    prefix = "" if network is base else "bert."
    views = [
        WeightView(f"{prefix}embeddings.{name}_embeddings.weight", "embed", 0)
        for name in ("word", "position", "token_type")
    ]
    parts = {
        "attention.self.query": "attention.q",
        "attention.self.key": "attention.k",
        "attention.self.value": "attention.v",
        "attention.output.dense": "attention.out",
        "intermediate.dense": "ffn.in",
        "output.dense": "ffn.out",
    }
    for layer in range(len(base.encoder.layer)):
        name = f"{prefix}encoder.layer.{layer}"
        views += [WeightView(f"{name}.{part}.weight", kind, layer + 1) for part, kind in parts.items()]
    last = len(base.encoder.layer) + 1
    if base.pooler is not None:
        views.append(WeightView(f"{prefix}pooler.dense.weight", "head", last))
    for name in _HEADS:
        module = getattr(network, name, nn.Identity())
        for view in views_by_module(module):
            parameter = f"{name}.{view.parameter}"
            views.append(WeightView(parameter, view.kind, last))
    return views


def parts_of(network: nn.Module) -> dict[str, tuple[str, ...]]:
    """Return the parts of a network as prefixes of names: embeddings and layers."""
    prefix = "" if network is _base(network) else "bert."
    return {"embeddings": (f"{prefix}embeddings.",), "encoder": (f"{prefix}encoder.",)}


def _base(network: nn.Module) -> Any:
    return getattr(network, "bert", network)


def _copied(base: Any, weights: Mapping[str, Tensor]) -> list[nn.Parameter]:
    """Copy `weights` into the parameters of `base`, and return these parameters."""
    own = dict(base.named_parameters())
    if not weights:
        return []
    # A network for question answering has no pooler, and neither has a checkpoint of such a network.
    wrong = {name for name in own.keys() ^ weights.keys() if not name.startswith("pooler.")}
    if wrong:
        raise PluginError(f"inherited weights do not fit the network: {min(wrong)!r} is in one of them alone")
    given = [(parameter, weights[name]) for name, parameter in own.items() if name in weights]
    with torch.no_grad():
        for parameter, weight in given:
            parameter.copy_(weight)
    return [parameter for parameter, _ in given]


def _without_residual(module: nn.Module, inputs: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    hidden, residual = inputs
    return hidden, torch.zeros_like(residual)
