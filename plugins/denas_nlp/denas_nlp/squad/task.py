"""The task ``nlp/squad``."""

from __future__ import annotations

import dataclasses
import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from denas_core import (
    Answer,
    Batch,
    DataDescription,
    Metric,
    Outputs,
    SearchSpace,
    Split,
    TaskData,
    option,
    worst_answers,
)
from denas_core.errors import ConfigError, PluginError, safe_repr
from denas_nlp.text.batches import TextSample, padded
from denas_nlp.text.faults import with_notices
from denas_nlp.text.files import Files
from denas_nlp.text.parts import read_parts
from denas_nlp.text.task import Preparation, TextTask, unknown_notice

from .answers import measured, wrong_answer
from .best import NEVER, best_answers, likeliest, with_no_answer
from .questions import Paragraph, Question, answerable, unanswered
from .reading import read_questions
from .split import Cutting, QuestionSplit

if TYPE_CHECKING:
    from torch import Tensor, nn

    from denas_core.legacy import KeyTable

NO_ANSWER = "no_answer"
"""The fact that a model was trained with questions that have no answer."""

SMALLEST_WINDOW = 8
"""Smallest number of paragraph tokens in a window."""

FILES = Files(
    kind="SQuAD",
    items="paragraphs",
    train="train-v1.1.json",
    valid="dev-v1.1.json",
    suffixes=(".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".parquet"),
)


@dataclasses.dataclass(kw_only=True)
class Squad(TextTask):
    """Find the part of a paragraph that answers a question: SQuAD v1.1 (Rajpurkar et al. 2016, arXiv:1606.05250).

    In SQuAD 2.0 (arXiv:1806.03822) some questions have no answer in their paragraph, which is learnt, too.
    """

    metric: ClassVar[Metric] = Metric(name="f1", is_share=True)
    # The training settings of the original DE-NAS.
    recipe: ClassVar[Mapping[str, Any]] = {
        "epochs": 2,
        "batch_size": 32,
        "optimizer": "adamw",
        "lr": 6e-5,
        "weight_decay": 0.01,
        "schedule": "linear",
        "warmup": 0.1,
        "clip": 1.0,
    }

    max_length: int = option(
        384, "Greatest number of tokens of a sample; at most the network's positions", at_least=16
    )
    doc_stride: int = option(
        128,
        "Tokens between the starts of two windows over a long paragraph; at most half a window",
        at_least=1,
    )
    query_length: int = option(64, "Greatest number of tokens of a question", at_least=1)
    n_best: int = option(
        20, "Number of starts and of ends of an answer to consider in each window", at_least=1
    )
    max_answer_length: int = option(30, "Greatest number of tokens of an answer", at_least=1)
    no_answer_threshold: float = option(
        0.0,
        "How much the score of no answer must exceed that of the best answer for a question to have none; used if the "
        "training had such questions",
    )

    @classmethod
    def legacy(cls) -> KeyTable:
        """Return the translation of the original's training keys for this task."""
        from .legacy import SQUAD

        return SQUAD

    def read(
        self, data: Path, space: SearchSpace, *, facts: Mapping[str, Any] | None = None
    ) -> TaskData[TextSample]:
        """Read ``train-v1.1.json`` and ``dev-v1.1.json``, those of version 2.0, tables of questions, or one file.

        Raises:
            ConfigError: as in `read_parts`, `read_questions` and `prepared`; no question can be learnt.
        """
        parts = read_parts(
            Path(data),
            FILES,
            read_questions,
            to_evaluate=facts is not None,
            valid_share=self.valid_share,
        )
        paragraphs = parts.train or ()
        preparation = self.prepared(Path(data), space, facts=facts, texts=lambda: _texts(paragraphs))
        self._check_room(preparation)
        cutting = Cutting(stride=self.doc_stride, query_length=self.query_length)
        valid = QuestionSplit(parts.valid, preparation, cutting)
        splits, notices = [valid], [*parts.notices, *preparation.notices]
        train = None
        if parts.train is not None:
            learnt, lost = answerable(parts.train)
            if not any(question.spans for paragraph in learnt for question in paragraph.questions):
                with with_notices(parts.notices):
                    raise ConfigError(
                        f"no question of {str(data)!r} can be learnt, because no answer is at its position in the "
                        "paragraph; correct 'answer_start'"
                    )
            train = QuestionSplit(learnt, preparation, cutting)
            splits.append(train)
            notices += [f"{lost} training questions have no answer in their paragraph and were left out"] * (
                lost > 0
            )
        if facts is None:
            facts = {NO_ANSWER: unanswered(parts.train or ()) > 0, **preparation.facts()}
        valid.may_lack_answers = bool(facts.get(NO_ANSWER))
        without, there = unanswered(parts.valid), sum(len(each.questions) for each in parts.valid)
        if without and not valid.may_lack_answers:
            notices.append(
                f"{without} of the {there} questions have no answer, but the training had no such questions: each of "
                "them gets an answer, which is wrong"
            )
        return TaskData(
            train=train,
            valid=valid,
            facts=dict(facts),
            notices=(*notices, *_notices(splits, self.query_length)),
        )

    def describe(self, data: Path) -> DataDescription | None:
        """Return the questions and paragraphs of a file; None if it has none."""
        from .describing import described

        return described(Path(data), FILES, vocab=self.vocab, max_length=self.max_length)

    def head(self, width: int, facts: Mapping[str, Any]) -> nn.Module:
        """Return a linear layer for each token, with a score for the start and one for the end of an answer."""
        from denas_core import PositionHead

        return PositionHead(width, 2)

    def collate(
        self, samples: Sequence[TextSample], rng: random.Random | None = None
    ) -> tuple[Batch, dict[str, Tensor]]:
        """Return tokens padded to the longest sample, and the start and end positions of answers."""
        import torch

        places = torch.tensor([sample.targets for sample in samples]).long()
        return padded(samples, by_position=True), {"start": places[:, 0], "end": places[:, 1]}

    def loss(
        self, outputs: Outputs, targets: Mapping[str, Tensor], *, label_smoothing: float = 0.0
    ) -> Tensor:
        """Return the mean cross entropy of start and end in float32; padding has no part in label smoothing."""
        import torch

        scores, mask = _scores(outputs)
        entropies = -scores.log_softmax(1)
        wanted = torch.stack([targets["start"], targets["end"]], -1)[:, None]
        loss = entropies.gather(1, wanted)[:, 0].mean()
        if not label_smoothing:
            return loss
        counted = mask[..., None].float()
        spread = entropies.masked_fill(~mask[..., None], 0.0).sum(1) / counted.sum(1)
        return (1 - label_smoothing) * loss + label_smoothing * spread.mean()

    def predict(self, outputs: Outputs) -> Tensor:
        """Return the likeliest start and end positions with their scores, and no answer (windows, 2, n_best + 1, 2)."""
        scores = _scores(outputs)[0]
        return with_no_answer(likeliest(scores, self.n_best), scores)

    def metrics(
        self, predictions: Tensor, targets: Mapping[str, Tensor], split: Split[TextSample]
    ) -> dict[str, float]:
        """Return the official ``f1`` and ``exact_match`` as fractions, also of questions with and without answers."""
        if not isinstance(split, QuestionSplit):
            raise PluginError(f"{self.id!r} measures questions, not {type(split).__name__}")
        found = self._answers(predictions, split)
        return measured(zip(found, (question.answers for question in split.questions), strict=True))

    def chance(self, targets: Mapping[str, Tensor], split: Split[TextSample]) -> float | None:
        """Return the F1 of no answer to any question."""
        if not isinstance(split, QuestionSplit):
            return None
        return measured(("", question.answers) for question in split.questions)[self.metric.name]

    def worst_answers(
        self,
        predictions: Tensor,
        targets: Mapping[str, Tensor],
        split: Split[TextSample],
        facts: Mapping[str, Any],
    ) -> Mapping[str, Any]:
        """Return the questions whose answers have the most words that are missing or too many."""
        if not isinstance(split, QuestionSplit):
            return {}
        found = self._answers(predictions, split)
        return worst_answers(
            (wrong_answer(question, text) for question, text in zip(split.questions, found, strict=True)),
            "wrong words",
        )

    def item(self, text: str) -> Mapping[str, str]:
        """Return a question with its paragraph, from JSON such as ``{"question": "...", "context": "..."}``.

        Raises:
            ConfigError: the text has another form.
        """
        try:
            found = json.loads(text)
        except ValueError:
            found = None
        return _question(found, text)

    def input_reader(
        self, space: SearchSpace, *, facts: Mapping[str, Any]
    ) -> Callable[[Mapping[str, str]], Split[TextSample]]:
        """Return a function that cuts the paragraph of a question into windows."""
        preparation = self.prepared(Path(), space, facts=facts)
        self._check_room(preparation)
        cutting = Cutting(stride=self.doc_stride, query_length=self.query_length)

        def read(given: Mapping[str, str]) -> QuestionSplit:
            given = _question(given, str(given))
            question = Question(id="", text=given["question"], answers=(), spans=())
            paragraph = Paragraph(text=given["context"], questions=(question,))
            split = QuestionSplit([paragraph], preparation, cutting)
            split.may_lack_answers = bool(facts.get(NO_ANSWER))
            return split

        return read

    def answer(self, details: Tensor, split: Split[TextSample], *, facts: Mapping[str, Any]) -> Answer:
        """Return the best part of the paragraph; an empty text if it has no answer."""
        assert isinstance(split, QuestionSplit), "the reader of inputs has made it"
        (text,) = self._answers(details, split)
        return Answer(text=text)

    def _answers(self, predictions: Tensor, split: QuestionSplit) -> list[str]:
        threshold = self.no_answer_threshold if split.may_lack_answers else None
        return best_answers(predictions, split, longest=self.max_answer_length, threshold=threshold)

    def imitation(self, outputs: Outputs, taught: Outputs, *, temperature: float) -> Tensor:
        """Return the divergence from a teacher's distributions of start and end over the tokens."""
        from torch.nn import functional as F

        ours, mask = _scores(outputs)
        theirs, _ = _scores(taught)
        divergence = F.kl_div(
            (ours / temperature).log_softmax(1),
            (theirs / temperature).log_softmax(1),
            reduction="none",
            log_target=True,
        )
        # Padding has probability 0 on both sides, whose logarithm is minus infinity.
        return divergence.masked_fill(~mask[..., None], 0.0).sum(1).mean()

    def example(self, folder: Path, space: SearchSpace) -> Path:
        """Write two training and two validation paragraphs with 3 questions each, and a vocabulary.

        If the space has a tokenizer, no vocabulary is written.
        """
        from .example import write_example

        return write_example(folder, space, train=FILES.train, valid=FILES.valid)

    def _check_room(self, preparation: Preparation) -> None:
        special = preparation.tokenizer.pair.length
        if preparation.max_length - special - self.query_length < SMALLEST_WINDOW:
            raise ConfigError(
                f"samples of {preparation.max_length} tokens have no room for a paragraph after a question of "
                f"{self.query_length} (task.query_length) and {special} special tokens; make questions shorter"
            )


def _question(found: Any, text: str) -> Mapping[str, str]:
    if (
        isinstance(found, Mapping)
        and all(isinstance(found.get(name), str) for name in ("question", "context"))
        and found["context"].strip()
    ):
        return found
    raise ConfigError(
        f'an input is a question with its paragraph, {{"question": "...", "context": "..."}}, not {safe_repr(text, 60)}'
    )


def _texts(paragraphs: Sequence[Paragraph]) -> Iterator[str]:
    for paragraph in paragraphs:
        yield paragraph.text
        yield from (question.text for question in paragraph.questions)


def _notices(splits: Sequence[QuestionSplit], query_length: int) -> tuple[str, ...]:
    cut, questions = sum(split.cut for split in splits), sum(len(split.questions) for split in splits)
    notice = (
        f"{cut} of {questions} questions have more than {query_length} tokens and are cut (task.query_length)"
    )
    unknown, tokens = (sum(values) for values in zip(*((s.unknown, s.tokens) for s in splits), strict=True))
    return (*((notice,) if cut else ()), *unknown_notice(unknown, tokens))


def _scores(outputs: Outputs) -> tuple[Tensor, Tensor]:
    """Return scores (samples, tokens, 2), ``-inf`` for padding, and the mask of tokens."""
    name, logits = next(iter(outputs.logits.items()))
    mask = outputs.masks.get(name)
    if logits.dim() != 3 or logits.shape[-1] != 2 or mask is None:
        raise PluginError(
            f"the output {name!r} of shape {tuple(logits.shape)} {'has no mask' if mask is None else 'is not'}; "
            "a network gives (samples, tokens, 2) under a PositionHead, and passes masks on"
        )
    return logits.float().masked_fill(~mask[..., None], NEVER), mask
