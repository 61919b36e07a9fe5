"""The task ``nlp/text-regression``."""

from __future__ import annotations

import dataclasses
import random
import statistics
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
    option,
    worst_answers,
)
from denas_core.errors import ConfigError, PluginError
from denas_nlp.classification.reading import Labelled
from denas_nlp.classification.table_task import TableTask
from denas_nlp.glue.metrics import pearson, spearman
from denas_nlp.text.batches import TextSample, padded
from denas_nlp.text.faults import with_notices
from denas_nlp.text.script import NUMBER, script_of
from denas_nlp.text.sentences import RECIPE, Row, SentenceSplit, logits_of, scored_answers, sentence_notices
from denas_nlp.text.task import Preparation

from .reading import ScoreReader, score_of

if TYPE_CHECKING:
    from torch import Tensor, nn


class ScoreSplit(SentenceSplit):
    """Texts with numbers, which are divided by their spread, so that every scale is learnt alike.

    Attributes:
        mean: The mean of the numbers that were learnt from.
        spread: Their standard deviation.
    """

    def __init__(
        self, rows: Sequence[Labelled], preparation: Preparation, scale: Mapping[str, float]
    ) -> None:
        """Tokenise every text."""
        self.mean, self.spread = scale["mean"], scale["spread"]
        super().__init__(
            [Row(row.texts, (score_of(row) - self.mean) / self.spread) for row in rows], preparation
        )


@dataclasses.dataclass(kw_only=True)
class TextRegression(TableTask):
    """Predict a number for a text, or for a pair of texts.

    It reads any table with a column of texts and one of numbers.
    """

    metric: ClassVar[Metric] = Metric(name="mse", direction="minimize")
    recipe: ClassVar[Mapping[str, Any]] = RECIPE

    whole_numbers: bool = option(
        False,
        "Recognise few different whole numbers, such as stars, as numbers too; otherwise they are taken for labels",
    )

    def read(
        self, data: Path, space: SearchSpace, *, facts: Mapping[str, Any] | None = None
    ) -> TaskData[TextSample]:
        """Read a table, or a folder with tables for the parts.

        Raises:
            ConfigError: as in `TableTask.parts` and `prepared`, or all numbers are equal.
        """
        reader = self.reader(None if facts is None else facts["columns"])
        parts = self.parts(Path(data), reader, to_evaluate=facts is not None)
        with with_notices(parts.notices):
            kept = _facts(parts.train or (), reader) if facts is None else dict(facts)
        learnt = parts.train or ()
        preparation = self.prepared(
            Path(data), space, facts=facts, texts=lambda: (text for row in learnt for text in row.texts)
        )
        valid = ScoreSplit(parts.valid, preparation, kept["scale"])
        train = None if parts.train is None else ScoreSplit(parts.train, preparation, kept["scale"])
        valid.texts = [row.texts for row in parts.valid]
        splits = [valid] if train is None else [train, valid]
        return TaskData(
            train=train,
            valid=valid,
            facts={**kept, **preparation.facts()} if facts is None else dict(facts),
            notices=(*parts.notices, *preparation.notices, *sentence_notices(splits, preparation.max_length)),
        )

    def reader(self, columns: Mapping[str, Sequence[str]] | None = None) -> ScoreReader:
        """Return the reader of tables, with the columns that the options or a trained model name."""
        return ScoreReader(text=self.text, pair=self.pair, label=self.label, usual=columns)

    def describe(self, data: Path) -> DataDescription | None:
        """Return the columns, lengths and numbers of a table of texts; None if it has labels and no numbers."""
        from .describing import described

        return described(
            self.reader(),
            Path(data),
            vocab=self.vocab,
            max_length=self.max_length,
            whole_numbers=self.whole_numbers,
        )

    def head(self, width: int, facts: Mapping[str, Any]) -> nn.Module:
        """Return a linear layer with one output."""
        from torch import nn

        return nn.Linear(width, 1)

    def collate(
        self, samples: Sequence[TextSample], rng: random.Random | None = None
    ) -> tuple[Batch, dict[str, Tensor]]:
        """Return tokens padded to the longest sample, and the numbers in units of their spread (samples,)."""
        import torch

        return padded(samples, by_position=False), {
            "label": torch.tensor([sample.targets[0] for sample in samples])
        }

    def loss(
        self, outputs: Outputs, targets: Mapping[str, Tensor], *, label_smoothing: float = 0.0
    ) -> Tensor:
        """Return the mean squared error in float32, in units of the spread."""
        from torch.nn import functional as F

        return F.mse_loss(logits_of(outputs)[:, 0], targets["label"])

    def predict(self, outputs: Outputs) -> Tensor:
        """Return the numbers in units of their spread (samples,)."""
        return logits_of(outputs)[:, 0]

    def metrics(
        self, predictions: Tensor, targets: Mapping[str, Tensor], split: Split[TextSample]
    ) -> dict[str, float]:
        """Return the mean squared error in the units of the data, and the correlations of Pearson and Spearman."""
        wanted = targets["label"]
        return {
            "mse": self._spread(split) ** 2 * float((predictions.double() - wanted.double()).square().mean()),
            "pearson": pearson(predictions, wanted),
            "spearman": spearman(predictions, wanted),
        }

    def chance(self, targets: Mapping[str, Tensor], split: Split[TextSample]) -> float:
        """Return the mean squared error of the mean."""
        return self._spread(split) ** 2 * float(targets["label"].double().var(correction=0))

    def worst_answers(
        self,
        predictions: Tensor,
        targets: Mapping[str, Tensor],
        split: Split[TextSample],
        facts: Mapping[str, Any],
    ) -> Mapping[str, Any]:
        """Return the texts whose numbers are furthest from the right ones."""
        if not isinstance(split, ScoreSplit):
            return {}
        wanted, found = (
            (split.mean + split.spread * each.double()).tolist() for each in (targets["label"], predictions)
        )
        return worst_answers(scored_answers(split, wanted, found), "difference")

    def imitation(self, outputs: Outputs, taught: Outputs, *, temperature: float) -> Tensor:
        """Return the squared distance from a teacher's numbers."""
        from torch.nn import functional as F

        return F.mse_loss(logits_of(outputs), logits_of(taught))

    def details(
        self,
        space: SearchSpace,
        network: nn.Module | None,
        batch: Batch,
        outputs: Outputs,
        split: Split[TextSample],
    ) -> Tensor:
        """Return the number of each text in units of the spread (samples, 1)."""
        return logits_of(outputs)

    def script(self, space: SearchSpace, *, facts: Mapping[str, Any]) -> str:
        """Return code that reads a text or a pair of texts, and returns its number."""
        scale = facts["scale"]
        answer = NUMBER.format(mean=scale["mean"], spread=scale["spread"], form=".6g")
        return script_of(facts, texts=len(facts["columns"]["texts"]), answer=answer)

    def answer(self, details: Tensor, split: Split[TextSample], *, facts: Mapping[str, Any]) -> Answer:
        """Return the number in the units of the data."""
        scale = facts["scale"]
        return Answer(text=f"{scale['mean'] + scale['spread'] * float(details[0, 0]):.6g}")

    def example(self, folder: Path, space: SearchSpace) -> Path:
        """Write tables of 24 training and 12 validation texts with numbers, and a vocabulary if there is none."""
        from denas_nlp.text.example import write_vocabulary

        words = write_vocabulary(folder, space)
        for part, count in (("train", 24), ("valid", 12)):
            rows = [f"{words.sentence(number)},{number % 7 + 0.25}" for number in range(count)]
            (folder / f"{part}.csv").write_text("\n".join(["text,score", *rows]) + "\n", encoding="utf-8")
        return folder

    def _spread(self, split: Split[TextSample]) -> float:
        if not isinstance(split, ScoreSplit):
            raise PluginError(f"{self.id!r} measures texts with numbers, not {type(split).__name__}")
        return split.spread


def _facts(rows: Sequence[Labelled], reader: ScoreReader) -> dict[str, Any]:
    """Return the facts about the numbers of the training texts.

    Raises:
        ConfigError: all of them are equal.
    """
    scores = [score_of(row) for row in rows]
    spread = statistics.pstdev(scores)
    path, column = reader.files[0], reader.columns.labels[0]
    if not spread:
        raise ConfigError(
            f"all {len(scores)} texts of {str(path)!r} have the number {scores[0]:g} (column {column!r}); there is "
            "nothing to learn"
        )
    return {
        "labels": [column],
        "scale": {"mean": statistics.fmean(scores), "spread": spread},
        "columns": reader.columns.as_dict(),
    }
