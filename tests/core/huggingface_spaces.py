"""Small spaces whose networks are models of transformers: BERT with its heads, and a model type of our own."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from transformers import (
    AutoConfig,
    AutoModel,
    BertConfig,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertModel,
    PretrainedConfig,
    PreTrainedModel,
)

from denas_core.contracts.component import option
from denas_core.contracts.space import SearchSpace
from denas_core.values.architecture import Knob
from denas_core.values.batch import Batch, Outputs

VOCABULARY = (
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    *"abcdefghijklmnopqrstuvwxyz",
    "bad",
    "good",
    "film",
)


@dataclasses.dataclass(kw_only=True)
class TinyBert(SearchSpace):
    """BERT of one or two layers, eight tokens a text."""

    vocab: str = option("", "A vocab.txt or tokenizer.json of the checkpoint that it does not have")
    kind: Literal["text", "answer", "base", "pooled"] = option("text", "Its head")
    labels: int = option(2, "Labels of a text", at_least=1)

    def knobs(self) -> tuple[Knob, ...]:
        return (Knob("layers", (1, 2)), Knob("hidden", (16, 32)))

    def build(self, arch: Any, *, head: Any = None, variant: Any = "full") -> nn.Module:
        config = BertConfig(
            vocab_size=len(VOCABULARY),
            hidden_size=arch["hidden"],
            num_hidden_layers=arch["layers"],
            num_attention_heads=2,
            intermediate_size=24,
            max_position_embeddings=16,
            num_labels=2 if self.kind == "answer" else self.labels,
        )
        if self.kind == "text":
            network = BertForSequenceClassification(config)
            if head is not None:
                network.classifier = head
            return network
        return BertForQuestionAnswering(config) if self.kind == "answer" else BertModel(config)

    def load(self, model: nn.Module, arch: Any, *, seed: int, weights: Any = "fresh") -> nn.Module:
        model = model.to_empty(device="cpu")
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.manual_seed(seed)
            for parameter in model.parameters():
                parameter.normal_(std=0.3)
            # Tables of places, which are not weights.
            for buffer, table in zip(model.buffers(), self.build(arch).buffers(), strict=True):
                buffer.copy_(table)
        return model

    def batch(self, size: int, *, seed: int, kind: Any = "noise") -> Batch:
        generator = torch.Generator().manual_seed(seed)
        tokens = torch.randint(5, len(VOCABULARY), (size, 8), generator=generator)
        if kind == "cost":
            return Batch(inputs={"input_ids": tokens.to("meta")})
        return Batch(inputs={"input_ids": tokens, "attention_mask": torch.ones_like(tokens)})

    def forward(self, model: nn.Module, batch: Batch) -> Outputs:
        output = model(**batch.inputs, output_hidden_states=True)
        features = output.hidden_states[-1]
        if self.kind == "answer":
            logits = torch.stack([output.start_logits, output.end_logits], -1)
        else:
            logits = output.logits if self.kind == "text" else features
        return Outputs(features=features, logits={"logits": -logits if self.kind == "pooled" else logits})

    def assets(self) -> dict[str, Path]:
        return {"tokenizer": Path(self.vocab)} if self.vocab else {}


class OwnConfig(PretrainedConfig):
    """The configuration of a model type that transformers does not know by itself."""

    model_type = "denas-test-own"

    def __init__(self, width: int = 4, **rest: Any) -> None:
        self.width = width
        super().__init__(**rest)


class OwnModel(PreTrainedModel):
    """A table of vectors."""

    config_class = OwnConfig

    def __init__(self, config: OwnConfig) -> None:
        super().__init__(config)
        self.table = nn.Embedding(8, config.width)
        self.post_init()

    def _init_weights(self, module: Any) -> None: ...

    def forward(self, input_ids: Tensor, return_dict: bool = True) -> dict[str, Tensor]:
        return {"logits": self.table(input_ids).mean(1)}


AutoConfig.register(OwnConfig.model_type, OwnConfig)
AutoModel.register(OwnConfig, OwnModel)


@dataclasses.dataclass(kw_only=True)
class Own(SearchSpace):
    """Networks of the model type of our own."""

    def knobs(self) -> tuple[Knob, ...]:
        return (Knob("width", (4, 8)),)

    def build(self, arch: Any, *, head: Any = None, variant: Any = "full") -> nn.Module:
        return OwnModel(OwnConfig(width=arch["width"]))

    def batch(self, size: int, *, seed: int, kind: Any = "noise") -> Batch:
        tokens = torch.randint(8, (size, 5), generator=torch.Generator().manual_seed(seed))
        return Batch(inputs={"input_ids": tokens.to("meta") if kind == "cost" else tokens})

    def forward(self, model: nn.Module, batch: Batch) -> Outputs:
        logits = model(**batch.inputs)["logits"]
        return Outputs(features=logits, logits={"logits": logits})
