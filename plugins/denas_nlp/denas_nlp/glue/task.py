"""The base class of GLUE tasks; each task declares its table and its metrics."""

from __future__ import annotations

import dataclasses
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
    TaskData,
    TextInput,
    confusion,
    worst_answers,
)
from denas_core.errors import ConfigError, safe_repr
from denas_nlp.text.batches import TextSample, padded
from denas_nlp.text.example import write_vocabulary
from denas_nlp.text.files import Files
from denas_nlp.text.parts import read_parts
from denas_nlp.text.script import NUMBER, ONE_LABEL, script_of
from denas_nlp.text.sentences import RECIPE, Row, SentenceSplit, logits_of, scored_answers, sentence_notices
from denas_nlp.text.task import TextTask

from .table import Table

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclasses.dataclass(kw_only=True)
class SentenceTask(TextTask):
    """Predict a label or a score for a sentence or a pair of sentences."""

    recipe: ClassVar[Mapping[str, Any]] = RECIPE

    table: ClassVar[Table]
    """The format of the task's files."""

    folder: ClassVar[str]
    """The folder of the official download."""

    measures: ClassVar[Mapping[str, Callable[[Any, Any], float]]]
    """The task's metrics as functions of predictions and targets."""

    def read(
        self, data: Path, space: SearchSpace, *, facts: Mapping[str, Any] | None = None
    ) -> TaskData[TextSample]:
        """Read ``train.tsv`` and ``dev.tsv``, their usual variants, or one file.

        Raises:
            ConfigError: as in `read_parts`, `Table.read` and `prepared`.
        """
        files = self._files()
        parts = read_parts(
            Path(data),
            files,
            self.table.read,
            to_evaluate=facts is not None,
            valid_share=self.valid_share,
        )
        labels = list(self.table.labels.values()) or [self.table.target]
        if facts is not None and facts["labels"] != labels:
            raise ConfigError(
                f"the model was trained for the labels {', '.join(facts['labels'])}, not for {', '.join(labels)}"
            )
        learnt = parts.train or ()
        preparation = self.prepared(
            Path(data), space, facts=facts, texts=lambda: (text for row in learnt for text in row.texts)
        )
        valid = SentenceSplit(parts.valid, preparation)
        if not self.table.labels:
            valid.texts = [row.texts for row in parts.valid]
        train = None if parts.train is None else SentenceSplit(parts.train, preparation)
        splits = [valid] if train is None else [train, valid]
        return TaskData(
            train=train,
            valid=valid,
            facts={"labels": labels, **preparation.facts()} if facts is None else dict(facts),
            notices=(*parts.notices, *preparation.notices, *sentence_notices(splits, preparation.max_length)),
        )

    def _files(self) -> Files:
        return Files(
            kind=self.folder,
            items="rows",
            train="train.tsv",
            valid="dev.tsv",
            folder=self.folder,
            suffixes=(".tsv", ".txt", ".csv", ".jsonl", ".ndjson", ".json", ".parquet"),
        )

    def describe(self, data: Path) -> DataDescription | None:
        """Return the number of rows, labels and lengths of the task's files; None if they are not of this task."""
        from .describing import described

        return described(self.table, Path(data), self._files(), vocab=self.vocab)

    def head(self, width: int, facts: Mapping[str, Any]) -> nn.Module:
        """Return a linear layer with one output for each label, or one for the score."""
        from torch import nn

        return nn.Linear(width, len(facts["labels"]))

    def collate(
        self, samples: Sequence[TextSample], rng: random.Random | None = None
    ) -> tuple[Batch, dict[str, Tensor]]:
        """Return tokens padded to the longest sample, and the labels or scores."""
        import torch

        targets = torch.tensor([sample.targets[0] for sample in samples])
        return padded(samples, by_position=False), {"label": targets.long() if self.table.labels else targets}

    def loss(
        self, outputs: Outputs, targets: Mapping[str, Tensor], *, label_smoothing: float = 0.0
    ) -> Tensor:
        """Return the mean cross entropy of labels, or the mean squared error of scores, in float32."""
        from torch.nn import functional as F

        logits, wanted = logits_of(outputs), targets["label"]
        if self.table.labels:
            return F.cross_entropy(logits, wanted, label_smoothing=label_smoothing)
        return F.mse_loss(logits[:, 0], wanted)

    def predict(self, outputs: Outputs) -> Tensor:
        """Return the number of the likeliest label, or the score (samples,)."""
        logits = logits_of(outputs)
        return logits.argmax(-1) if self.table.labels else logits[:, 0]

    def mistakes(
        self, predictions: Tensor, targets: Mapping[str, Tensor], facts: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Return which labels are taken for which others; nothing for scores."""
        return confusion(predictions, targets["label"], facts["labels"]) if self.table.labels else {}

    def worst_answers(
        self,
        predictions: Tensor,
        targets: Mapping[str, Tensor],
        split: Split[TextSample],
        facts: Mapping[str, Any],
    ) -> Mapping[str, Any]:
        """Return the sentences whose scores are furthest from the right ones; nothing for labels."""
        if self.table.labels or not isinstance(split, SentenceSplit):
            return {}
        wanted, found = targets["label"].tolist(), predictions.tolist()
        return worst_answers(scored_answers(split, wanted, found), "difference")

    def metrics(
        self, predictions: Tensor, targets: Mapping[str, Tensor], split: Split[TextSample]
    ) -> dict[str, float]:
        """Return the official metrics of the task."""
        return {name: measure(predictions, targets["label"]) for name, measure in self.measures.items()}

    def chance(self, targets: Mapping[str, Tensor], split: Split[TextSample]) -> float:
        """Return the best value of the metric for one label, or 0 for scores, as equal scores have no correlation."""
        import torch

        wanted = targets["label"]
        measure = self.measures[self.metric.name]
        return max(
            measure(torch.full_like(wanted, label), wanted) for label in range(max(len(self.table.labels), 1))
        )

    def item(self, text: str) -> tuple[str, ...]:
        """Return the sentence, or the two sentences that a tab separates.

        Raises:
            ConfigError: the number of sentences is another one.
        """
        return self._sentences(tuple(part.strip() for part in text.split("\t")))

    def input_reader(
        self, space: SearchSpace, *, facts: Mapping[str, Any]
    ) -> Callable[[Sequence[str]], Split[TextSample]]:
        """Return a function that tokenises a sentence, or a pair of sentences."""
        preparation = self.prepared(Path(), space, facts=facts)
        return lambda texts: SentenceSplit([Row(self._sentences(texts), 0.0)], preparation)

    def preprocessing(self, space: SearchSpace, *, facts: Mapping[str, Any]) -> TextInput | None:
        """Return the same as for every text; labels have probabilities, and a score has none."""
        found = super().preprocessing(space, facts=facts)
        if found is None or not self.table.labels:
            return found
        return dataclasses.replace(found, activation="softmax")

    def details(
        self,
        space: SearchSpace,
        network: nn.Module | None,
        batch: Batch,
        outputs: Outputs,
        split: Split[TextSample],
    ) -> Tensor:
        """Return the probability of each label (samples, labels), or the score (samples, 1)."""
        logits = logits_of(outputs)
        return logits.softmax(-1) if self.table.labels else logits

    def script(self, space: SearchSpace, *, facts: Mapping[str, Any]) -> str:
        """Return code that reads a sentence or a pair of sentences, and names its label or its score."""
        if self.table.labels:
            answer = ONE_LABEL.format(labels=list(facts["labels"]))
        else:
            answer = NUMBER.format(mean=0.0, spread=1.0, form=".3f")
        return script_of(facts, texts=len(self.table.texts), answer=answer)

    def answer(self, details: Tensor, split: Split[TextSample], *, facts: Mapping[str, Any]) -> Answer:
        """Return the likeliest label, or the score."""
        if not self.table.labels:
            return Answer(text=f"{float(details[0, 0]):.3f}")
        return Answer.of_labels(dict(zip(facts["labels"], details[0].tolist(), strict=True)))

    def _sentences(self, texts: Sequence[str]) -> tuple[str, ...]:
        count = len(self.table.texts)
        if len(texts) != count or not all(texts):
            wanted = "one sentence" if count == 1 else "two sentences with a tab between them"
            raise ConfigError(f"{self.id!r} takes {wanted}, not {safe_repr(' | '.join(texts), 60)}")
        return tuple(texts)

    def imitation(self, outputs: Outputs, taught: Outputs, *, temperature: float) -> Tensor:
        """Return the divergence from a teacher's labels, or the squared distance from its scores."""
        if self.table.labels:
            return super().imitation(outputs, taught, temperature=temperature)
        from torch.nn import functional as F

        return F.mse_loss(logits_of(outputs) / temperature, logits_of(taught) / temperature)

    def example(self, folder: Path, space: SearchSpace) -> Path:
        """Write 24 training and 12 validation rows, and a vocabulary if the space has none."""
        words = write_vocabulary(folder, space)
        columns = self.table.headless or (*self.table.texts, self.table.target)
        targets = list(self.table.labels) or ["0.0", "1.25", "3.5", "5.0"]
        for name, count in (("train.tsv", 24), ("dev.tsv", 12)):
            lines = [] if self.table.headless else ["\t".join(columns)]
            for number in range(count):
                row = dict.fromkeys(columns, "-")
                for place, text in enumerate(self.table.texts):
                    row[text] = words.sentence(number * len(self.table.texts) + place)
                row[self.table.target] = targets[number % len(targets)]
                lines.append("\t".join(row.values()))
            (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
        return folder
