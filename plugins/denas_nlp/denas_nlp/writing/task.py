"""The task ``nlp/seq2seq``."""

from __future__ import annotations

import dataclasses
import json
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from denas_core import (
    Answer,
    Batch,
    DataDescription,
    Outputs,
    SearchSpace,
    Split,
    TargetTokenHead,
    TaskData,
    WrongAnswer,
    option,
    worst_answers,
)
from denas_core.errors import ConfigError, PluginError, safe_repr
from denas_nlp.language.blocks import unigram_model
from denas_nlp.language.scores import IGNORED, scores_of, token_metrics, token_sums
from denas_nlp.language.token_task import RECIPE as RECIPE_OF_TOKENS
from denas_nlp.language.token_task import TokenTask
from denas_nlp.text.batches import TextSample, padded
from denas_nlp.text.example import write_vocabulary
from denas_nlp.text.form import MASK, TOKENS
from denas_nlp.text.task import unknown_notice
from denas_nlp.text.tokenizer import TextTokenizer

from .metrics import text_metrics
from .pairs import Pair, PairReader
from .split import PairSplit

if TYPE_CHECKING:
    from torch import Tensor, nn

TARGET = "target_ids"
"""Name of the input with the text that is written."""

_SUMS = 3
"""Numbers of a sample before the tokens that were written, see `token_sums`."""

RECIPE: Mapping[str, Any] = {**RECIPE_OF_TOKENS, "batch_size": 32}
"""Training settings that suit small networks, and checkpoints of T5, which learn with larger rates than others."""


@dataclasses.dataclass(kw_only=True)
class Seq2Seq(TokenTask):
    """Write a text from another one, such as a translation or a summary."""

    recipe: ClassVar[Mapping[str, Any]] = RECIPE
    wanted: ClassVar[str] = "target"

    source: str = option(
        "", "Column, or ending of the files, with the texts to read; by default a usual name"
    )
    target: str = option("", "Column, or ending of the files, with the texts to write")
    target_length: int = option(128, "Greatest number of tokens of a text to write in training", at_least=4)
    split: str = option(
        "", "Part to evaluate on: train, valid or test; by default valid, or test if there is none"
    )
    max_new_tokens: int = option(64, "Greatest number of tokens that a prediction writes", at_least=1)
    beams: int = option(1, "Number of beams of a prediction; 1: always the likeliest token", at_least=1)

    def read(
        self, data: Path, space: SearchSpace, *, facts: Mapping[str, Any] | None = None
    ) -> TaskData[TextSample]:
        """Read pairs of texts: a table, a folder with tables, or a folder with two text files for each part.

        Raises:
            ConfigError: as in `PairReader.read` and `prepared`.
        """
        parts = self._reader().read(
            Path(data),
            to_evaluate=facts is not None,
            valid_share=self.valid_share,
            part=self.split if facts is not None else "",
        )
        learnt = parts.train or ()
        preparation = self.prepared(
            Path(data), space, facts=facts, texts=lambda: (text for pair in learnt for text in pair)
        )
        splits = [
            PairSplit(pairs, preparation, longest=self.target_length)
            for pairs in (parts.train, parts.valid)
            if pairs is not None
        ]
        if facts is None:
            facts = self.token_facts(splits[0], preparation)
        valid = splits[-1]
        valid.unigram = unigram_model(facts["unigram"])
        cut = sum(split.cut for split in splits)
        return TaskData(
            train=None if parts.train is None else splits[0],
            valid=valid,
            facts=dict(facts),
            notices=(
                *parts.notices,
                *preparation.notices,
                *(
                    [f"{cut} texts are too long and are cut (task.max_length, task.target_length)"]
                    if cut
                    else ()
                ),
                *unknown_notice(sum(s.unknown for s in splits), sum(s.tokens for s in splits)),
            ),
            contents=(
                f"a unigram model of the texts to write has a perplexity of {valid.unigram_perplexity:.4g}",
            ),
        )

    def _reader(self) -> PairReader:
        return PairReader(source=self.source, target=self.target)

    def describe(self, data: Path) -> DataDescription | None:
        """Return how many pairs of texts there are; None if there are none."""
        from .describing import described

        return described(self._reader(), Path(data), vocab=self.vocab)

    def head(self, width: int, facts: Mapping[str, Any]) -> nn.Module:
        """Return a linear layer with a score for each token of the vocabulary."""
        return TargetTokenHead(width, int(facts["vocabulary"]), bias=False)

    def add_inputs(self, batch: Batch) -> Batch:
        """Return a batch with texts that are written: here the same as those that are read."""
        tokens = batch.inputs[TOKENS]
        opened = {**batch.open, TARGET: batch.open[TOKENS]} if TOKENS in batch.open else batch.open
        return dataclasses.replace(batch, inputs={**batch.inputs, TARGET: tokens.clone()}, open=opened)

    def collate(
        self, samples: Sequence[TextSample], rng: random.Random | None = None
    ) -> tuple[Batch, dict[str, Tensor]]:
        """Return both texts padded to the longest, and the tokens to write (samples, positions)."""
        import torch

        batch = padded(samples, by_position=False)
        lengths = torch.tensor([len(sample.targets) for sample in samples])
        mask = torch.arange(int(lengths.max())) < lengths[:, None]
        target = torch.full(mask.shape, samples[0].form.pad)
        target[mask] = torch.tensor([token for sample in samples for token in sample.targets]).long()
        batch = dataclasses.replace(
            batch, inputs={**batch.inputs, TARGET: target}, masks={**batch.masks, "logits": mask}
        )
        return batch, {self.wanted: target.masked_fill(~mask, IGNORED)}

    def decode(
        self,
        space: SearchSpace,
        network: nn.Module,
        batch: Batch,
        outputs: Outputs,
        split: Split[TextSample],
    ) -> Tensor:
        """Return the same as `assess`, followed by the tokens that the network writes; -1 behind the end."""
        import torch

        wanted = batch.inputs[TARGET].masked_fill(~batch.masks["logits"], IGNORED)
        sums = token_sums(scores_of(outputs), wanted)
        return torch.cat([sums, self.details(space, network, batch, outputs, split).double()], 1)

    def metrics(
        self, predictions: Tensor, targets: Mapping[str, Tensor], split: Split[TextSample]
    ) -> dict[str, float]:
        """Return perplexity and accuracy of tokens; of texts that were written also exact match and F1 of words."""
        if not isinstance(split, PairSplit):
            raise PluginError(f"{self.id!r} measures pairs of texts, not {type(split).__name__}")
        found = {
            **token_metrics(predictions, bytes=0),
            "unigram_perplexity": split.unigram_perplexity,
        }
        if predictions.shape[1] == _SUMS:
            return found
        tokenizer = TextTokenizer(split.tokenizer, origin="the tokenizer of the data")
        texts = [_text(row, tokenizer) for row in predictions[:, _SUMS:].long().tolist()]
        return {**found, **text_metrics(texts, [pair.target for pair in split.pairs])}

    def worst_answers(
        self,
        predictions: Tensor,
        targets: Mapping[str, Tensor],
        split: Split[TextSample],
        facts: Mapping[str, Any],
    ) -> Mapping[str, Any]:
        """Return the texts with the most tokens that were not the likeliest ones.

        In the course of a training no texts are written, so that only the tokens are known.
        """
        if not isinstance(split, PairSplit):
            return {}
        written = predictions[:, _SUMS:].long().tolist()
        tokenizer = TextTokenizer(split.tokenizer, origin="the tokenizer of the data")
        return worst_answers(
            (
                WrongAnswer(
                    sample=pair.source,
                    expected=pair.target,
                    answered=_text(tokens, tokenizer) if tokens else None,
                    errors=count - right,
                )
                for pair, (right, count), tokens in zip(
                    split.pairs, predictions[:, 1:_SUMS].tolist(), written, strict=True
                )
            ),
            "wrong tokens",
        )

    def input_reader(
        self, space: SearchSpace, *, facts: Mapping[str, Any]
    ) -> Callable[[str], Split[TextSample]]:
        """Return a function that tokenises a text to read."""
        preparation = self.prepared(Path(), space, facts=facts)

        def read(given: str) -> PairSplit:
            if not given.strip():
                raise ConfigError(f"a text to read has words, but {safe_repr(given, 30)} has none")
            return PairSplit([Pair(given.strip(), "")], preparation, longest=self.target_length)

        return read

    def details(
        self,
        space: SearchSpace,
        network: nn.Module | None,
        batch: Batch,
        outputs: Outputs,
        split: Split[TextSample],
    ) -> Tensor:
        """Return the tokens that the network writes (samples, positions); -1 behind the end.

        Raises:
            ConfigError: there is only an exported file, or the network cannot write.
        """
        assert isinstance(split, PairSplit), "the task has made it"
        generate: Any = getattr(network, "generate", None)
        if generate is None:
            what = "an exported file" if network is None else f"a {type(network).__name__}"
            raise ConfigError(
                f"{what} gives only scores of tokens and writes no texts; predict with a trained model of hf/auto, or "
                "use the export to huggingface with transformers"
            )
        tokenizer = TextTokenizer(split.tokenizer, origin="the tokenizer of the data")
        config: Any = getattr(network, "config", None)
        if getattr(config, "eos_token_id", None) != tokenizer.end:
            # The tokens that a checkpoint writes first and last are those of its own vocabulary.
            forced = dict.fromkeys(("forced_bos_token_id", "forced_eos_token_id"))
        else:
            forced = {}
        given = {name: batch.inputs[name] for name in (TOKENS, MASK) if name in batch.inputs}
        ids: Tensor = generate(
            **given,
            max_new_tokens=min(self.max_new_tokens, split.longest or self.max_new_tokens),
            do_sample=False,
            num_beams=self.beams,
            decoder_start_token_id=_first_token(network),
            pad_token_id=tokenizer.pad,
            eos_token_id=tokenizer.end,
            **forced,
        )[:, 1:]
        ended = ids == (tokenizer.pad if tokenizer.end is None else tokenizer.end)
        return ids.masked_fill(ended.cumsum(1) > 0, -1)

    def answer(self, details: Tensor, split: Split[TextSample], *, facts: Mapping[str, Any]) -> Answer:
        """Return the text that was written."""
        assert isinstance(split, PairSplit), "the reader of inputs has made it"
        return Answer(text=_text(details[0].tolist(), TextTokenizer(split.tokenizer, origin="the tokenizer")))

    def example(self, folder: Path, space: SearchSpace) -> Path:
        """Write 24 training and 12 validation pairs, and a vocabulary if the space has none."""
        words = write_vocabulary(folder, space)
        for part, (name, count) in enumerate((("train.jsonl", 24), ("valid.jsonl", 12))):
            rows = []
            for number in range(count):
                text = words.sentence(100 * part + number)
                rows.append({"source": text, "target": " ".join(reversed(text.split()))})
            (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return folder


def _text(tokens: Sequence[int], tokenizer: TextTokenizer) -> str:
    return tokenizer.text_of([token for token in tokens if token >= 0]).strip()


def _first_token(network: Any) -> int:
    """Return the token before a text that is written: that of the configuration, or its padding token, or 0."""
    named = (getattr(network.config, name, None) for name in ("decoder_start_token_id", "pad_token_id"))
    return next((int(token) for token in named if token is not None), 0)
