"""The task ``nlp/causal-lm``."""

from __future__ import annotations

import dataclasses
import random
from array import array
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from denas_core import (
    Answer,
    Batch,
    DataDescription,
    NextTokenHead,
    Outputs,
    SearchSpace,
    Split,
    TaskData,
    option,
)
from denas_core.errors import ConfigError, PluginError
from denas_nlp.text.batches import TextSample, padded
from denas_nlp.text.example import write_vocabulary
from denas_nlp.text.form import TOKENS, reach_of
from denas_nlp.text.task import unknown_notice

from .blocks import BlockSplit, unigram_model
from .continuing import NONE, Prompt, continued, likeliest_next, prompt_tokens
from .documents import read_corpus
from .scores import next_tokens, scores_of, token_metrics, token_sums
from .token_task import TokenTask

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclasses.dataclass(kw_only=True)
class CausalLanguageModel(TokenTask):
    """Find the next token of a text: plain text files, folders of them, or tables with a column of texts."""

    wanted: ClassVar[str] = "next"
    ends_texts: ClassVar[bool] = False

    text: str = option("", "Column with the texts, of tables; by default the one with a usual name")
    max_length: int = option(
        256, "Number of tokens of a block of text; at most the network's positions", at_least=8
    )
    split: str = option(
        "", "Part to evaluate on: train, valid or test; by default valid, or test if there is none"
    )
    max_new_tokens: int = option(
        40, "Greatest number of tokens by which a prediction continues a text", at_least=1
    )

    def read(
        self, data: Path, space: SearchSpace, *, facts: Mapping[str, Any] | None = None
    ) -> TaskData[TextSample]:
        """Read texts; if there are none for validation, a tenth of the documents, or the end of each, is set aside.

        Raises:
            ConfigError: as in `read_corpus` and `prepared`; there is too little text.
        """
        corpus = read_corpus(
            Path(data),
            column=self.text,
            to_evaluate=facts is not None,
            valid_share=self.valid_share,
            part=self.split if facts is not None else "",
        )
        preparation = self.prepared(Path(data), space, facts=facts, texts=lambda: corpus.train or ())
        valid = BlockSplit(corpus.valid, preparation)
        train = None if corpus.train is None else BlockSplit(corpus.train, preparation)
        splits = [split for split in (train, valid) if split is not None]
        if not all(map(len, splits)):
            raise ConfigError(f"{str(data)!r} has too little text: a part of it has fewer than two tokens")
        if facts is None:
            assert train is not None, "without facts, there is a part to learn from"
            facts = self.token_facts(train, preparation)
        valid.unigram = unigram_model(facts["unigram"])
        return TaskData(
            train=train,
            valid=valid,
            facts=dict(facts),
            notices=(*corpus.notices, *preparation.notices, *_notices(splits)),
            contents=(
                *(f"{split.tokens} tokens in {split.documents} documents" for split in splits),
                f"a unigram model of the training text has a perplexity of {valid.unigram_perplexity:.4g}",
            ),
        )

    def describe(self, data: Path) -> DataDescription | None:
        """Return how much text there is; None if there are no texts, or if they have labels."""
        from .describing import described

        return described(Path(data), column=self.text, vocab=self.vocab)

    def head(self, width: int, facts: Mapping[str, Any]) -> nn.Module:
        """Return a linear layer with a score for each token of the vocabulary."""
        return NextTokenHead(width, int(facts["vocabulary"]), bias=False)

    def collate(
        self, samples: Sequence[TextSample], rng: random.Random | None = None
    ) -> tuple[Batch, dict[str, Tensor]]:
        """Return tokens padded to the longest block, and the token after each position (samples, tokens)."""
        batch = padded(samples, by_position=True)
        return batch, {self.wanted: next_tokens(batch.inputs[TOKENS], batch.masks["features"])}

    def decode(
        self,
        space: SearchSpace,
        network: nn.Module,
        batch: Batch,
        outputs: Outputs,
        split: Split[TextSample],
    ) -> Tensor:
        """Return the same as `assess`."""
        return token_sums(scores_of(outputs), next_tokens(batch.inputs[TOKENS], batch.masks.get("features")))

    def metrics(
        self, predictions: Tensor, targets: Mapping[str, Tensor], split: Split[TextSample]
    ) -> dict[str, float]:
        """Return perplexity, accuracy, number of tokens, bits for each byte, and the perplexity of a unigram model."""
        if not isinstance(split, BlockSplit):
            raise PluginError(f"{self.id!r} measures texts, not {type(split).__name__}")
        return {
            **token_metrics(predictions, bytes=split.bytes),
            "unigram_perplexity": split.unigram_perplexity,
        }

    def input_reader(
        self, space: SearchSpace, *, facts: Mapping[str, Any]
    ) -> Callable[[str], Split[TextSample]]:
        """Return a function that tokenises a text to continue; if it is too long, its end."""
        preparation = self.prepared(Path(), space, facts=facts)
        tokenizer, positions = preparation.tokenizer, reach_of(space).positions
        room = preparation.max_length if positions is None else positions + 1 - self.max_new_tokens
        if room < 1:
            raise ConfigError(
                f"networks of {space.id!r} have {positions} positions, so a text cannot be continued by "
                f"{self.max_new_tokens} tokens; lower task.max_new_tokens"
            )

        def read(given: str) -> Prompt:
            ids = prompt_tokens(given, tokenizer, room=room)
            sample = TextSample(
                ids=ids, segments=array("b", [0]) * len(ids), targets=(), form=preparation.form
            )
            return Prompt(text=sample, tokenizer=tokenizer)

        return read

    def details(
        self,
        space: SearchSpace,
        network: nn.Module | None,
        batch: Batch,
        outputs: Outputs,
        split: Split[TextSample],
    ) -> Tensor:
        """Return the tokens that continue each text (samples, `max_new_tokens`).

        Raises:
            ConfigError: more than one token is wanted of an exported file.
        """
        assert isinstance(split, Prompt), "the reader of inputs has made it"
        first = likeliest_next(scores_of(outputs), batch.masks["features"].sum(1))
        if network is None:
            if self.max_new_tokens > 1:
                raise ConfigError(
                    "an exported file gives only the next token; set task.max_new_tokens=1, predict with the trained "
                    "model, or use the export to huggingface with transformers"
                )
            return first[:, None]
        return continued(space, network, batch, first, count=self.max_new_tokens, end=split.tokenizer.end)

    def answer(self, details: Tensor, split: Split[TextSample], *, facts: Mapping[str, Any]) -> Answer:
        """Return the text that continues the input."""
        assert isinstance(split, Prompt), "the reader of inputs has made it"
        return Answer(text=split.tokenizer.text_of([token for token in details[0].tolist() if token != NONE]))

    def example(self, folder: Path, space: SearchSpace) -> Path:
        """Write ``train.txt`` and ``valid.txt``, and a vocabulary if the space has none."""
        words = write_vocabulary(folder, space)
        for part, (name, count) in enumerate((("train.txt", 40), ("valid.txt", 20))):
            lines = [words.sentence(100 * part + number) for number in range(count)]
            (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
        return folder


def _notices(splits: Sequence[BlockSplit]) -> tuple[str, ...]:
    return unknown_notice(sum(split.unknown for split in splits), sum(split.tokens for split in splits))
