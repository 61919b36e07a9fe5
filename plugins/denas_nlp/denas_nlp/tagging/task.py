"""The task ``nlp/token-classification``."""

from __future__ import annotations

import dataclasses
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
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
    WrongAnswer,
    option,
    worst_answers,
)
from denas_core.errors import ConfigError, PluginError, safe_repr
from denas_nlp.text.batches import TextSample, padded
from denas_nlp.text.example import write_vocabulary
from denas_nlp.text.files import Files
from denas_nlp.text.parts import read_parts
from denas_nlp.text.sentences import RECIPE
from denas_nlp.text.task import TextTask, unknown_notice

from .metrics import of_spans
from .reader import TagReader
from .spans import OUTSIDE, has_prefixes, iob2, listed_spans, spans_of
from .split import IGNORED, TaggedSplit
from .tagged import Tagged, tag_names
from .words import word_bounds

if TYPE_CHECKING:
    from torch import Tensor, nn

FILES = Files(
    kind="sentences with tags",
    items="sentences",
    train="train.txt",
    valid="valid.txt",
    suffixes=(
        *(".txt", ".conll", ".iob", ".bio", ".tsv", ".tab", ".csv"),
        *(".json", ".jsonl", ".ndjson", ".parquet"),
    ),
)


@dataclasses.dataclass(kw_only=True)
class TokenClassification(TextTask):
    """Find the tag of each token of a sentence, such as names of people and places.

    It reads lines of a token and its tag as in CoNLL-2003, and tables: a token in each row, lists of tokens and tags,
    or texts with spans of characters.
    """

    metric: ClassVar[Metric] = Metric(name="f1", is_share=True)
    recipe: ClassVar[Mapping[str, Any]] = RECIPE

    text: str = option(
        "", "Column with the tokens, or with the texts of spans; by default the one with a usual name"
    )
    label: str = option("", "Column with the tags, or with the spans; by default the one with a usual name")
    sentence: str = option(
        "",
        "Column that says to which sentence a token in a row belongs; by default the one with a usual name",
    )
    names: str = option(
        "", "Names of tags that are numbers, in order: O,B-PER,I-PER, or a file with a name in each line"
    )

    def read(
        self, data: Path, space: SearchSpace, *, facts: Mapping[str, Any] | None = None
    ) -> TaskData[TextSample]:
        """Read ``train.txt`` and ``valid.txt``, files of other kinds with such names, or one file.

        Raises:
            ConfigError: as in `read_parts`, `TagReader.read` and `prepared`.
        """
        parts = read_parts(
            Path(data),
            FILES,
            self._reader().read,
            to_evaluate=facts is not None,
            valid_share=self.valid_share,
        )
        learnt = parts.train or ()
        labels = tag_names([*learnt, *parts.valid], str(data)) if facts is None else list(facts["labels"])
        preparation = self.prepared(
            Path(data), space, facts=facts, texts=lambda: (" ".join(each.tokens) for each in learnt)
        )
        notices = [*parts.notices, *preparation.notices]
        splits = [
            _split(each, labels, preparation, notices)
            for each in (parts.train, parts.valid)
            if each is not None
        ]
        splits[-1].words = [each.tokens for each in parts.valid]
        return TaskData(
            train=None if parts.train is None else splits[0],
            valid=splits[-1],
            facts={"labels": labels, **preparation.facts()} if facts is None else dict(facts),
            notices=(*notices, *_notices(splits, preparation.max_length)),
        )

    def describe(self, data: Path) -> DataDescription | None:
        """Return the sentences and labels of a data set; None if it has no tagged sentences."""
        from .describing import described

        return described(self._reader(), Path(data), FILES, vocab=self.vocab)

    def _reader(self) -> TagReader:
        return TagReader(text=self.text, label=self.label, sentence=self.sentence, names=self.names)

    def head(self, width: int, facts: Mapping[str, Any]) -> nn.Module:
        """Return a linear layer for each token, with one output for each tag."""
        from denas_core import PositionHead

        return PositionHead(width, len(facts["labels"]))

    def collate(
        self, samples: Sequence[TextSample], rng: random.Random | None = None
    ) -> tuple[Batch, dict[str, Tensor]]:
        """Return tokens padded to the longest sample, and the tags of their words (samples, tokens)."""
        import torch

        longest = max(len(sample.targets) for sample in samples)
        targets = torch.full((len(samples), longest), IGNORED)
        for row, sample in enumerate(samples):
            targets[row, : len(sample.targets)] = torch.tensor(sample.targets).long()
        return padded(samples, by_position=True), {"tags": targets}

    def loss(
        self, outputs: Outputs, targets: Mapping[str, Tensor], *, label_smoothing: float = 0.0
    ) -> Tensor:
        """Return the mean cross entropy over the words of a batch, in float32."""
        from torch.nn import functional as F

        scores = _scores(outputs)
        return F.cross_entropy(
            scores.flatten(0, 1),
            targets["tags"].flatten(),
            label_smoothing=label_smoothing,
            ignore_index=IGNORED,
        )

    def predict(self, outputs: Outputs) -> Tensor:
        """Return the number of the likeliest tag of each token (samples, tokens)."""
        return _scores(outputs).argmax(-1)

    def metrics(
        self, predictions: Tensor, targets: Mapping[str, Tensor], split: Split[TextSample]
    ) -> dict[str, float]:
        """Return F1, precision and recall of whole spans, and the accuracy of tags."""
        if not isinstance(split, TaggedSplit):
            raise PluginError(f"{self.id!r} measures sentences with tags, not {type(split).__name__}")
        numbers = _by_sentence(predictions, split)
        return of_spans([[split.labels[number] for number in each] for each in numbers], split.tags)

    def chance(self, targets: Mapping[str, Tensor], split: Split[TextSample]) -> float | None:
        """Return the F1 of the most frequent tag for every word."""
        if not isinstance(split, TaggedSplit):
            return None
        counts = Counter(tag for tags in split.tags for tag in tags)
        tag = max(counts, key=lambda tag: counts[tag], default=OUTSIDE)
        return of_spans([[tag] * len(tags) for tags in split.tags], split.tags)[self.metric.name]

    def worst_answers(
        self,
        predictions: Tensor,
        targets: Mapping[str, Tensor],
        split: Split[TextSample],
        facts: Mapping[str, Any],
    ) -> Mapping[str, Any]:
        """Return the sentences with the most words whose tag is wrong."""
        if not isinstance(split, TaggedSplit):
            return {}
        numbers = _by_sentence(predictions, split)
        tags = [[split.labels[number] for number in each] for each in numbers]
        return worst_answers(
            (
                WrongAnswer(
                    sample=" ".join(words),
                    expected=listed_spans(words, wanted),
                    answered=listed_spans(words, found),
                    errors=sum(one != other for one, other in zip(wanted, found, strict=True)),
                )
                for words, wanted, found in zip(split.words, split.tags, tags, strict=True)
            ),
            "wrong tags",
        )

    def input_reader(
        self, space: SearchSpace, *, facts: Mapping[str, Any]
    ) -> Callable[[str], Split[TextSample]]:
        """Return a function that divides a sentence into words and tokenises them."""
        preparation = self.prepared(Path(), space, facts=facts)

        def read(given: str) -> TaggedSplit:
            bounds = word_bounds(given)
            if not bounds:
                raise ConfigError(f"a sentence has words, but {safe_repr(given, 60)} has none")
            words = [given[start:end] for start, end in bounds]
            split = TaggedSplit([words], [[0] * len(words)], [[OUTSIDE] * len(words)], preparation)
            split.labels = list(facts["labels"])
            split.text, split.bounds = given, bounds
            return split

        return read

    def answer(self, details: Tensor, split: Split[TextSample], *, facts: Mapping[str, Any]) -> Answer:
        """Return the spans of the sentence with their labels."""
        assert isinstance(split, TaggedSplit), "the reader of inputs has made it"
        (numbers,) = _by_sentence(details, split)
        spans = []
        for label, first, stop in spans_of([facts["labels"][number] for number in numbers]):
            start, end = split.bounds[first][0], split.bounds[stop - 1][1]
            spans.append({"text": split.text[start:end], "label": label, "start": start, "end": end})
        return Answer(
            text="; ".join(f"{span['text']} [{span['label']}]" for span in spans), spans=tuple(spans)
        )

    def example(self, folder: Path, space: SearchSpace) -> Path:
        """Write 12 training and 6 validation sentences with tags, and a vocabulary if the space has none."""
        words = write_vocabulary(folder, space)
        for part, (name, count) in enumerate((("train.txt", 12), ("valid.txt", 6))):
            lines = [f"-DOCSTART- {OUTSIDE}", ""]
            for number in range(count):
                tokens = words.sentence(100 * part + number).split()
                tags = [("B-PLACE", "I-PLACE", OUTSIDE)[place % 3] for place in range(len(tokens))]
                lines += [*(f"{token} {tag}" for token, tag in zip(tokens, tags, strict=True)), ""]
            (folder / name).write_text("\n".join(lines), encoding="utf-8")
        return folder


def _split(
    sentences: Sequence[Tagged], labels: Sequence[str], preparation: Any, notices: list[str]
) -> TaggedSplit:
    numbers = {label: number for number, label in enumerate(labels)}
    is_iob2 = has_prefixes(labels)
    tags = [iob2(each.tags) if is_iob2 else list(each.tags) for each in sentences]
    strange = sorted({tag for each in tags for tag in each} - set(labels))
    if strange:
        count = sum(not set(each) <= set(labels) for each in tags)
        listed = ", ".join(safe_repr(tag, 30) for tag in strange[:5])
        notices.append(
            f"{count} of {len(tags)} sentences have tags that the model does not know ({listed}), and "
            "cannot find"
        )
    split = TaggedSplit(
        [each.tokens for each in sentences],
        [[numbers.get(tag, IGNORED) for tag in each] for each in tags],
        tags,
        preparation,
    )
    split.labels = list(labels)
    return split


def _by_sentence(predictions: Tensor, split: TaggedSplit) -> list[list[int]]:
    """Return the numbers of the tags of the words of each sentence."""
    found: list[list[int]] = [[] for _ in split.tags]
    for piece, row in zip(split.pieces, predictions.tolist(), strict=True):
        found[piece.sentence] += [int(row[place]) for place in piece.places]
    return found


def _notices(splits: Sequence[TaggedSplit], max_length: int) -> tuple[str, ...]:
    divided, shortened = (
        sum(values) for values in zip(*((s.divided, s.shortened) for s in splits), strict=True)
    )
    count = sum(len(split.tags) for split in splits)
    unknown, tokens = (sum(values) for values in zip(*((s.unknown, s.tokens) for s in splits), strict=True))
    return (
        *(
            [
                f"{divided} of {count} sentences have more than {max_length} tokens and are divided (task.max_length)"
            ]
            if divided
            else []
        ),
        *([f"{shortened} words are longer than {max_length} tokens and are cut"] if shortened else []),
        *unknown_notice(unknown, tokens),
    )


def _scores(outputs: Outputs) -> Tensor:
    name, logits = next(iter(outputs.logits.items()))
    if logits.dim() != 3:
        raise PluginError(
            f"the output {name!r} has the shape {tuple(logits.shape)}; under a PositionHead a network gives "
            "(samples, tokens, tags)"
        )
    return logits.float()
