"""What networks take, and how far their tables reach, as one network on meta shows."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from denas_core.contracts.space import SearchSpace
from denas_core.errors import ConfigError
from denas_core.testing.samples.spaces import SampleMLP, SampleTransformer
from denas_core.values.architecture import Architecture, Knob
from denas_core.values.batch import Batch, Outputs
from denas_nlp.glue.tasks import SST2
from denas_nlp.squad.task import Squad
from denas_nlp.text.form import Reach, inputs_of, reach_of
from tests.nlp.texts import write_rows, write_vocab
from tests.nlp.toy_text_space import ToyText

SPACE = ToyText().named("toy/text")


@dataclasses.dataclass(kw_only=True)
class Stock(SearchSpace):
    """One network of transformers, as a space."""

    kind: str = "BertModel"
    config: dict[str, Any] = dataclasses.field(default_factory=dict)
    names: tuple[str, ...] = ("input_ids",)

    def knobs(self) -> tuple[Knob, ...]:
        return (Knob("size", (1,)),)

    def build(self, arch: Architecture, *, head: Any = None, variant: Any = "full") -> nn.Module:
        import transformers

        kind: Any = getattr(transformers, self.kind)
        network: nn.Module = kind(kind.config_class(**self.config))
        return network

    def batch(self, size: int, *, seed: int, kind: Any = "noise") -> Batch:
        device = "meta" if kind == "cost" else "cpu"
        return Batch(
            inputs={name: torch.ones(size, 16, dtype=torch.long, device=device) for name in self.names}
        )

    def forward(self, model: nn.Module, batch: Batch) -> Outputs:
        features = model(**batch.inputs)[0]
        return Outputs(features=features, logits={"logits": features})


SIZES = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}


@pytest.mark.parametrize(
    ("kind", "config", "expected"),
    [
        ("BertModel", {**SIZES, "vocab_size": 99, "max_position_embeddings": 40}, Reach(tokens=99, positions=40)),
        # It counts positions from 2 on, behind that of the padding.
        ("RobertaModel", {**SIZES, "vocab_size": 99, "max_position_embeddings": 42}, Reach(tokens=99, positions=40)),
        ("AlbertModel", {**SIZES, "vocab_size": 99, "embedding_size": 8}, Reach(tokens=99, positions=512)),
        ("LlamaModel", {**SIZES, "vocab_size": 99}, Reach(tokens=99, positions=None)),
        (
            "GPT2Model",
            {"n_embd": 16, "n_layer": 1, "n_head": 2, "vocab_size": 99, "n_positions": 40},
            Reach(tokens=99, positions=40),
        ),
        # The smaller of its tables of relative positions has a row for each pair.
        (
            "T5EncoderModel",
            {"d_model": 16, "num_layers": 1, "num_heads": 2, "d_kv": 8, "d_ff": 16, "vocab_size": 99},
            Reach(tokens=99, positions=None),
        ),
    ],
)  # fmt: skip
def test_tables_of_stock_networks_reach_as_far_as_their_config_says(
    kind: str, config: dict[str, Any], expected: Reach
) -> None:
    assert reach_of(Stock(kind=kind, config=config).named("x/y")) == expected


def test_tables_of_the_toy_reach_as_far_as_its_options_say() -> None:
    assert reach_of(ToyText(vocabulary=33, positions=21)) == Reach(tokens=33, positions=21)
    # As few rows as kinds of tokens are never places of 8 tokens.
    assert reach_of(ToyText(vocabulary=8, positions=8)) == Reach(tokens=8, positions=8)


def test_a_network_without_tables_reaches_any_length() -> None:
    class Hashed(ToyText):
        def build(self, arch: Architecture, *, head: Any = None, variant: Any = "full") -> nn.Module:
            return nn.Linear(1, 4)

        def forward(self, model: nn.Module, batch: Batch) -> Outputs:
            features = model(batch.inputs["input_ids"][..., None].float())
            return Outputs(features=features, logits={"logits": features})

    assert reach_of(Hashed()) == Reach(tokens=None, positions=None)


def test_spaces_that_read_no_tokens_are_refused_with_the_reason() -> None:
    assert inputs_of(SPACE) == ("input_ids", "attention_mask", "token_type_ids")
    assert inputs_of(ToyText(segments=False)) == ("input_ids", "attention_mask")
    task = SST2()
    assert task.why_unsuitable(SPACE) == Squad().why_unsuitable(SPACE) == ""
    assert "take 'x', and not 'input_ids', the tokens of a text" in task.why_unsuitable(SampleMLP())
    assert "take 'tokens', and not 'input_ids'" in task.why_unsuitable(SampleTransformer())
    both = Stock(names=("input_ids", "decoder_input_ids"))
    assert "also take 'decoder_input_ids', which a text alone does not have" in task.why_unsuitable(both)


def test_tokens_that_are_no_row_of_numbers_are_refused() -> None:
    class Odd(ToyText):
        def batch(self, size: int, *, seed: int, kind: Any = "noise") -> Batch:
            return Batch(inputs={"input_ids": torch.zeros(size, 3, 4)})

    assert "is torch.float32 of shape (1, 3, 4), not a row of tokens" in SST2().why_unsuitable(Odd())


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    write_vocab(tmp_path)
    for name in ("train.tsv", "dev.tsv"):
        write_rows(tmp_path / name, ["sentence\tlabel", "the old town\t1", "rivers of the town\t0"])
    return tmp_path


def test_a_vocabulary_with_more_tokens_than_the_network_knows_is_refused_with_both_numbers(
    reviews: Path,
) -> None:
    with pytest.raises(
        ConfigError, match=r"has 17 tokens, but networks of 'toy/text' know 16; give the vocabulary"
    ):
        SST2().read(reviews, ToyText(vocabulary=16).named("toy/text"))
    assert len(SST2().read(reviews, ToyText(vocabulary=17).named("toy/text")).valid) == 2


def test_samples_are_as_long_as_positions_allow_and_a_notice_says_so(reviews: Path) -> None:
    data = SST2().read(reviews, ToyText(positions=9).named("toy/text"))
    assert data.facts["max_length"] == 9
    assert data.notices[0] == (
        "samples have at most 9 tokens, the positions of networks of 'toy/text', and not 128 (task.max_length)"
    )
    assert not SST2(max_length=9).read(reviews, ToyText(positions=9).named("toy/text")).notices


def test_networks_with_next_to_no_positions_are_refused(reviews: Path) -> None:
    class Short(ToyText):
        def batch(self, size: int, *, seed: int, kind: Any = "noise") -> Batch:
            batch = super().batch(size, seed=seed, kind=kind)
            return dataclasses.replace(batch, inputs={n: t[:, :4] for n, t in batch.inputs.items()}, masks={})

    space = Short().named("toy/short")
    space.positions = 5
    with pytest.raises(
        ConfigError, match=r"'toy/short' have 5 positions, too few for a text; give them more"
    ):
        SST2().read(reviews, space)


def test_a_model_is_not_evaluated_by_networks_with_fewer_positions(reviews: Path) -> None:
    facts = SST2().read(reviews, ToyText(positions=40).named("toy/text")).facts
    with pytest.raises(
        ConfigError, match=r"trained on samples of 40 tokens, but networks of 'toy/text' have 20"
    ):
        SST2().read(reviews, ToyText(positions=20).named("toy/text"), facts=facts)


def test_data_for_a_space_that_reads_no_texts_is_refused(reviews: Path) -> None:
    with pytest.raises(ConfigError, match=r"space 'sample/mlp' cannot read texts: its networks take 'x'"):
        SST2().read(reviews, SampleMLP().named("sample/mlp"))
