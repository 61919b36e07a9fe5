"""The task ``nlp/text-classification``."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Mapping, Sequence
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
    TextInput,
    WrongAnswer,
    confusion,
    largest_share,
    option,
    worst_answers,
)
from denas_nlp.text.batches import TextSample, padded
from denas_nlp.text.faults import with_notices
from denas_nlp.text.script import ONE_LABEL, SEVERAL_LABELS, script_of
from denas_nlp.text.sentences import RECIPE, SentenceSplit, logits_of, sentence_notices

from .metrics import THRESHOLD, best_f1_of_same_labels, of_classes, of_labels
from .reading import TableReader
from .table_task import FILES, TableTask
from .targets import label_facts, label_notices, overlap_notices, rows_of

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclasses.dataclass(kw_only=True)
class TextClassification(TableTask):
    """Find the label of a text, or of a pair of texts.

    It reads any table with a column of texts and one of labels, and folders of text files, one folder for each label.
    """

    metric: ClassVar[Metric] = Metric(name="accuracy", is_share=True)
    recipe: ClassVar[Mapping[str, Any]] = RECIPE

    multi_label: bool = option(False, "Whether a text may have several labels, or none")
    separator: str = option(
        "", "Character between several labels of a text; by default a bar, semicolon or comma"
    )

    def __post_init__(self) -> None:
        """Choose the metric: a model of several labels is not chosen by accuracy."""
        super().__post_init__()
        if self.multi_label:
            self.__dict__["metric"] = Metric(name="f1_micro", is_share=True)

    def read(
        self, data: Path, space: SearchSpace, *, facts: Mapping[str, Any] | None = None
    ) -> TaskData[TextSample]:
        """Read a table, or a folder with tables for the parts.

        Raises:
            ConfigError: as in `read_parts`, `TableReader.read` and `prepared`.
        """
        reader = self._reader(None if facts is None else facts["columns"])
        parts = self.parts(Path(data), reader, to_evaluate=facts is not None)
        notices = [*parts.notices]
        with with_notices(parts.notices):
            kept = label_facts(parts, reader) if facts is None else dict(facts)
            train = None if parts.train is None else rows_of(parts.train, kept, reader, notices)
            valid = rows_of(parts.valid, kept, reader, notices)
        preparation = self.prepared(
            Path(data), space, facts=facts, texts=lambda: (text for row in train or () for text in row.texts)
        )
        splits = [SentenceSplit(rows, preparation) for rows in (train, valid) if rows is not None]
        if self.multi_label:
            splits[-1].texts = [row.texts for row in valid]
        notices += [
            *label_notices(parts.train or (), kept),
            *overlap_notices(parts, kept),
            *preparation.notices,
        ]
        return TaskData(
            train=None if train is None else splits[0],
            valid=splits[-1],
            facts={**kept, **preparation.facts()} if facts is None else dict(facts),
            notices=(*notices, *sentence_notices(splits, preparation.max_length)),
        )

    def _reader(self, columns: Mapping[str, Sequence[str]] | None = None) -> TableReader:
        return TableReader(
            text=self.text,
            pair=self.pair,
            label=self.label,
            separator=self.separator,
            multi_label=self.multi_label,
            usual=columns,
        )

    def describe(self, data: Path) -> DataDescription | None:
        """Return the columns, labels and lengths of a table of texts; None if there is no such table."""
        from .describing import described

        return described(self._reader(), Path(data), FILES, vocab=self.vocab, max_length=self.max_length)

    def head(self, width: int, facts: Mapping[str, Any]) -> nn.Module:
        """Return a linear layer with one output for each label."""
        from torch import nn

        return nn.Linear(width, len(facts["labels"]))

    def collate(
        self, samples: Sequence[TextSample], rng: random.Random | None = None
    ) -> tuple[Batch, dict[str, Tensor]]:
        """Return tokens padded to the longest sample, and labels (samples,), or (samples, labels) if several."""
        import torch

        targets = torch.tensor([sample.targets for sample in samples])
        return padded(samples, by_position=False), {
            "label": targets if self.multi_label else targets[:, 0].long()
        }

    def loss(
        self, outputs: Outputs, targets: Mapping[str, Tensor], *, label_smoothing: float = 0.0
    ) -> Tensor:
        """Return the mean cross entropy in float32: of the classes, or of each label if there may be several."""
        from torch.nn import functional as F

        logits, wanted = logits_of(outputs), targets["label"]
        if not self.multi_label:
            return F.cross_entropy(logits, wanted, label_smoothing=label_smoothing)
        smooth = wanted * (1 - label_smoothing) + label_smoothing / 2
        return F.binary_cross_entropy_with_logits(logits, smooth)

    def predict(self, outputs: Outputs) -> Tensor:
        """Return the number of the likeliest label (samples,), or the logits (samples, labels) of several."""
        logits = logits_of(outputs)
        return logits if self.multi_label else logits.argmax(-1)

    def metrics(
        self, predictions: Tensor, targets: Mapping[str, Tensor], split: Split[TextSample]
    ) -> dict[str, float]:
        """Return accuracy, macro F1 and Matthews correlation; of several labels micro and macro F1 and exact match."""
        wanted = targets["label"]
        if self.multi_label:
            return of_labels(predictions.sigmoid() >= THRESHOLD, wanted >= THRESHOLD)
        classes = 1 + int(max(predictions.max(), wanted.max()))
        return of_classes(predictions, wanted, classes)

    def chance(self, targets: Mapping[str, Tensor], split: Split[TextSample]) -> float | None:
        """Return the share of the most frequent label, or the best micro F1 of the same labels for all texts."""
        wanted = targets["label"]
        if self.multi_label:
            return best_f1_of_same_labels(wanted >= THRESHOLD)
        return largest_share(wanted)

    def mistakes(
        self, predictions: Tensor, targets: Mapping[str, Tensor], facts: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Return which classes are taken for which others; nothing for several labels."""
        return {} if self.multi_label else confusion(predictions, targets["label"], facts["labels"])

    def worst_answers(
        self,
        predictions: Tensor,
        targets: Mapping[str, Tensor],
        split: Split[TextSample],
        facts: Mapping[str, Any],
    ) -> Mapping[str, Any]:
        """Return the texts with the most labels that are missing or too many; nothing for a single label."""
        if not self.multi_label or not isinstance(split, SentenceSplit):
            return {}
        found, wanted = predictions.sigmoid() >= THRESHOLD, targets["label"] >= THRESHOLD
        return worst_answers(
            WrongAnswer.of_labels(wanted, found, facts["labels"], split.name), "wrong labels"
        )

    def imitation(self, outputs: Outputs, taught: Outputs, *, temperature: float) -> Tensor:
        """Return the divergence from a teacher's classes, or the cross entropy with a teacher's several labels."""
        if not self.multi_label:
            return super().imitation(outputs, taught, temperature=temperature)
        from torch.nn import functional as F

        theirs = (logits_of(taught) / temperature).sigmoid()
        return F.binary_cross_entropy_with_logits(logits_of(outputs) / temperature, theirs)

    def preprocessing(self, space: SearchSpace, *, facts: Mapping[str, Any]) -> TextInput | None:
        """Return the same as for every text, and how labels get their probabilities."""
        found = super().preprocessing(space, facts=facts)
        if found is None:
            return None
        return dataclasses.replace(found, activation="sigmoid" if self.multi_label else "softmax")

    def details(
        self,
        space: SearchSpace,
        network: nn.Module | None,
        batch: Batch,
        outputs: Outputs,
        split: Split[TextSample],
    ) -> Tensor:
        """Return the probability of each label (samples, labels)."""
        logits = logits_of(outputs)
        return logits.sigmoid() if self.multi_label else logits.softmax(-1)

    def script(self, space: SearchSpace, *, facts: Mapping[str, Any]) -> str:
        """Return code that reads a text or a pair of texts, and names its label or labels."""
        answer = SEVERAL_LABELS if self.multi_label else ONE_LABEL
        texts = len(facts["columns"]["texts"])
        return script_of(facts, texts=texts, answer=answer.format(labels=list(facts["labels"])))

    def answer(self, details: Tensor, split: Split[TextSample], *, facts: Mapping[str, Any]) -> Answer:
        """Return the likeliest label, or all labels that are likelier than not."""
        shares = dict(zip(facts["labels"], details[0].tolist(), strict=True))
        answer = Answer.of_labels(shares)
        if not self.multi_label:
            return answer
        chosen = [label for label, share in answer.probabilities.items() if share >= THRESHOLD]
        return Answer(text=", ".join(chosen), probabilities=answer.probabilities)

    def example(self, folder: Path, space: SearchSpace) -> Path:
        """Write tables of 24 training and 12 validation texts with three labels, and a vocabulary if there is none."""
        from .example import write_example

        return write_example(folder, space, multi_label=self.multi_label)
