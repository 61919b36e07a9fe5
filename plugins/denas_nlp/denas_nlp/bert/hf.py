"""BERT with a separate width of attention, as classes of transformers; importing this module registers them there.

After ``import denas_nlp.bert.hf``, ``AutoModel.from_pretrained`` loads exported networks of this kind.
"""

# Some of the functions called here have no types in transformers.
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

from typing import Any

from torch import nn
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    BertConfig,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertForTokenClassification,
    BertModel,
    BertPreTrainedModel,
)
from transformers.modeling_layers import GradientCheckpointingLayer
from transformers.models.bert.modeling_bert import (
    BertAttention,
    BertEmbeddings,
    BertEncoder,
    BertIntermediate,
    BertLayer,
    BertOutput,
    BertPooler,
    BertSelfAttention,
    BertSelfOutput,
)


class DenasBertConfig(BertConfig):
    """BERT's configuration plus the width of a head: attention is ``heads * attention_head_size`` wide."""

    model_type = "denas-bert"

    attention_head_size: int = 64


class DenasBertSelfAttention(BertSelfAttention):
    """Self-attention with queries, keys and values of ``heads * attention_head_size`` features."""

    def __init__(self, config: DenasBertConfig, layer_idx: int) -> None:
        # BERT's own constructor is skipped because it divides the hidden width among the heads.
        nn.Module.__init__(self)
        self.config = config
        self.num_attention_heads = config.num_attention_heads
        self.attention_head_size = config.attention_head_size
        self.all_head_size = self.num_attention_heads * self.attention_head_size
        self.scaling = self.attention_head_size**-0.5
        self.query = nn.Linear(config.hidden_size, self.all_head_size)
        self.key = nn.Linear(config.hidden_size, self.all_head_size)
        self.value = nn.Linear(config.hidden_size, self.all_head_size)
        self.dropout = nn.Dropout(config.attention_probs_dropout_prob)
        self.is_decoder = self.is_causal = False
        self.layer_idx = layer_idx


class DenasBertSelfOutput(BertSelfOutput):
    """The projection from the width of attention to the hidden width."""

    def __init__(self, config: DenasBertConfig) -> None:
        super().__init__(config)
        self.dense = nn.Linear(config.num_attention_heads * config.attention_head_size, config.hidden_size)


class DenasBertAttention(BertAttention):
    """Self-attention and its output projection."""

    def __init__(self, config: DenasBertConfig, layer_idx: int) -> None:
        nn.Module.__init__(self)
        self.is_cross_attention = False
        self.self = DenasBertSelfAttention(config, layer_idx)
        self.output = DenasBertSelfOutput(config)


class DenasBertLayer(BertLayer):
    """A layer of attention and a feed-forward block."""

    def __init__(self, config: DenasBertConfig, layer_idx: int) -> None:
        GradientCheckpointingLayer.__init__(self)
        self.chunk_size_feed_forward = config.chunk_size_feed_forward
        self.seq_len_dim = 1
        self.attention = DenasBertAttention(config, layer_idx)
        self.is_decoder = self.add_cross_attention = False
        self.intermediate = BertIntermediate(config)
        self.output = BertOutput(config)


class DenasBertEncoder(BertEncoder):
    """The stack of layers."""

    def __init__(self, config: DenasBertConfig) -> None:
        nn.Module.__init__(self)
        self.config = config
        self.layer = nn.ModuleList(DenasBertLayer(config, index) for index in range(config.num_hidden_layers))


class DenasBertModel(BertModel):
    """The network without a task head."""

    config_class = DenasBertConfig

    def __init__(self, config: DenasBertConfig, add_pooling_layer: bool = True) -> None:
        BertPreTrainedModel.__init__(self, config)
        self.config = config
        self.gradient_checkpointing = False
        self.embeddings = BertEmbeddings(config)
        self.encoder = DenasBertEncoder(config)
        self.pooler = BertPooler(config) if add_pooling_layer else None
        self.post_init()


class DenasBertForQuestionAnswering(BertForQuestionAnswering):
    """The network with two scores for each token: to be the first and to be the last token of an answer."""

    config_class = DenasBertConfig

    def __init__(self, config: DenasBertConfig) -> None:
        BertPreTrainedModel.__init__(self, config)
        self.num_labels = config.num_labels
        self.bert = DenasBertModel(config, add_pooling_layer=False)
        self.qa_outputs = _head(config)
        self.post_init()


class DenasBertForSequenceClassification(BertForSequenceClassification):
    """The network with scores for a whole text."""

    config_class = DenasBertConfig

    def __init__(self, config: DenasBertConfig) -> None:
        BertPreTrainedModel.__init__(self, config)
        self.num_labels = config.num_labels
        self.bert = DenasBertModel(config)
        self.dropout = nn.Dropout(_classifier_dropout(config))
        self.classifier = _head(config)
        self.post_init()


class DenasBertForTokenClassification(BertForTokenClassification):
    """The network with scores for each token."""

    config_class = DenasBertConfig

    def __init__(self, config: DenasBertConfig) -> None:
        BertPreTrainedModel.__init__(self, config)
        self.num_labels = config.num_labels
        self.bert = DenasBertModel(config, add_pooling_layer=False)
        self.dropout = nn.Dropout(_classifier_dropout(config))
        self.classifier = _head(config)
        self.post_init()


def _head(config: Any) -> nn.Linear:
    return nn.Linear(config.hidden_size, config.num_labels)


def _classifier_dropout(config: Any) -> float:
    chosen = config.classifier_dropout
    return float(config.hidden_dropout_prob if chosen is None else chosen)


AutoConfig.register(DenasBertConfig.model_type, DenasBertConfig)
AutoModel.register(DenasBertConfig, DenasBertModel)
AutoModelForQuestionAnswering.register(DenasBertConfig, DenasBertForQuestionAnswering)
AutoModelForSequenceClassification.register(DenasBertConfig, DenasBertForSequenceClassification)
AutoModelForTokenClassification.register(DenasBertConfig, DenasBertForTokenClassification)
