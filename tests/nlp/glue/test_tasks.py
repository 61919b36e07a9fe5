"""The tasks of GLUE from a folder to metrics."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from denas_core.contracts.space import SearchSpace
from denas_core.errors import ConfigError
from denas_core.models.trained import build_network
from denas_core.registry.registry import Registry
from denas_core.testing import TaskTests
from denas_core.values.batch import Outputs
from denas_nlp.glue.task import SentenceTask
from denas_nlp.glue.tasks import MRPC, RTE, SST2, STSB, CoLA
from denas_nlp.text.sentences import kept
from tests.nlp.texts import REAL, needs_real_data, write_rows, write_vocab
from tests.nlp.toy_text_space import ToyText

SPACE = ToyText().named("toy/text")


class Promises(TaskTests):
    def spaces(self) -> tuple[SearchSpace, ...]:
        return (SPACE,)


class TestPromisesOfSST2(Promises):
    def make(self) -> SST2:
        return SST2().named("nlp/sst2")

    def spaces(self) -> tuple[SearchSpace, ...]:
        return (SPACE, ToyText(segments=False, vocabulary=10).named("toy/small"))


@pytest.mark.nightly
class TestPromisesOfCoLA(Promises):
    def make(self) -> CoLA:
        return CoLA().named("nlp/cola")


@pytest.mark.nightly
class TestPromisesOfMRPC(Promises):
    def make(self) -> MRPC:
        return MRPC().named("nlp/mrpc")


class TestPromisesOfSTSB(Promises):
    def make(self) -> STSB:
        return STSB().named("nlp/stsb")

    def spaces(self) -> tuple[SearchSpace, ...]:
        return (SPACE, ToyText(positions=16).named("toy/short"))


class TestPromisesOfRTE(Promises):
    def make(self) -> RTE:
        return RTE().named("nlp/rte")


def outputs(*rows: list[float]) -> Outputs:
    logits = torch.tensor(rows)
    return Outputs(features=logits, logits={"logits": logits})


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    write_vocab(tmp_path)
    header = "index\tsentence1\tsentence2\tscore"
    rows = [
        "0\tthe old town\tthe town\t4.5",
        "1\triver in the old town of the rivers\ta river\t1.0",
        "2\ta\tb\t0",
    ]
    for name in ("train.tsv", "dev.tsv"):
        write_rows(tmp_path / name, [header, *rows])
    return tmp_path


def test_the_registry_has_each_with_the_official_metrics() -> None:
    registry = Registry.discover()
    expected = {
        "sst2": ["accuracy"],
        "cola": ["matthews", "accuracy"],
        "mrpc": ["f1", "accuracy"],
        "stsb": ["pearson", "spearman"],
        "rte": ["accuracy"],
    }
    for name, metrics in expected.items():
        task = registry.create("task", name, {"max_length": 64})
        assert (task.id, task.max_length) == (f"nlp/{name}", 64)
        assert [*task.measures] == metrics
        assert task.metric.name == metrics[0]


def test_a_pair_is_one_row_of_tokens_and_a_score_one_target(pairs: Path) -> None:
    data = STSB().read(pairs, SPACE)
    assert data.train is not None
    first = data.train.sample(0)
    assert list(first.ids) == [2, 4, 9, 5, 3, 4, 5, 3]
    assert list(first.segments) == [0, 0, 0, 0, 0, 1, 1, 1]
    batch, targets = STSB().collate([data.train.sample(i) for i in range(3)])
    assert targets["label"].tolist() == [4.5, 1.0, 0.0]
    assert batch.inputs["input_ids"].shape == (3, 14)
    assert data.facts["labels"] == ["score"]
    assert [data.train.length(index) for index in range(3)] == [8, 14, 5]
    assert STSB().head(16, data.facts).weight.shape == (1, 16)  # type: ignore[union-attr]


def test_long_pairs_are_cut_and_told(pairs: Path) -> None:
    data = STSB(max_length=9).read(pairs, SPACE)
    assert data.train is not None
    # Of 9 and 2 tokens there is room for 6.
    assert list(data.train.sample(1).ids) == [2, 7, 10, 4, 9, 3, 15, 7, 3]
    assert data.notices == ("2 of 6 samples have more than 9 tokens and are cut (task.max_length)",)


@pytest.mark.parametrize(
    ("lengths", "room", "expected"),
    [
        ((9,), 5, (5,)),
        ((3,), 5, (3,)),
        ((10, 10), 7, (4, 3)),
        ((10, 3), 8, (5, 3)),
        ((3, 10), 8, (3, 5)),
        ((4, 4), 8, (4, 4)),
        ((1, 9), 2, (1, 1)),
    ],
)
def test_the_longer_text_is_cut_first(lengths: tuple[int, ...], room: int, expected: tuple[int, ...]) -> None:
    assert kept(*lengths, room=room) == expected


def test_texts_are_cut_as_one_token_after_the_other_from_the_longer() -> None:
    for first in range(12):
        for second in range(1, 12):
            for room in range(2, 14):
                lengths = [first, second]
                while sum(lengths) > room:
                    lengths[lengths[0] <= lengths[1]] -= 1
                assert kept(first, second, room=room) == tuple(lengths)


def test_the_loss_of_labels_is_the_cross_entropy_and_that_of_scores_the_squared_error() -> None:
    logits = [[2.0, -1.0], [0.5, 0.25], [-3.0, 1.0]]
    labels = torch.tensor([0, 1, 1])
    found = SST2().loss(outputs(*logits), {"label": labels}, label_smoothing=0.1)
    assert float(found) == pytest.approx(
        float(F.cross_entropy(torch.tensor(logits), labels, label_smoothing=0.1))
    )
    scores = {"label": torch.tensor([1.0, 3.0])}
    assert float(STSB().loss(outputs([2.0], [5.0]), scores)) == pytest.approx((1 + 4) / 2)
    assert float(STSB().loss(outputs([2.0], [5.0]), scores, label_smoothing=0.5)) == pytest.approx(2.5)
    half = Outputs(features=torch.zeros(1), logits={"logits": torch.ones(2, 2, dtype=torch.bfloat16)})
    assert SST2().loss(half, {"label": torch.tensor([0, 1])}).dtype == torch.float32


def test_predictions_are_labels_or_scores() -> None:
    assert SST2().predict(outputs([2.0, -1.0], [0.0, 1.0])).tolist() == [0, 1]
    assert STSB().predict(outputs([2.5], [7.0])).tolist() == [2.5, 7.0]


def test_a_teacher_of_scores_is_imitated_by_distance_and_one_of_labels_by_divergence() -> None:
    distance = STSB().imitation(outputs([2.0], [5.0]), outputs([1.0], [1.0]), temperature=2.0)
    # The temperature is squared away by who asks.
    assert float(distance) * 2.0**2 == pytest.approx((1 + 16) / 2)
    ours, theirs = [[1.0, 0.0]], [[0.0, 3.0]]
    p = torch.tensor(theirs[0]).softmax(0)
    q = torch.tensor(ours[0]).softmax(0)
    divergence = SST2().imitation(outputs(*ours), outputs(*theirs), temperature=1.0)
    assert float(divergence) == pytest.approx(float((p * (p / q).log()).sum()), rel=1e-5)


def test_a_model_of_other_labels_is_refused(tmp_path: Path) -> None:
    write_vocab(tmp_path)
    write_rows(tmp_path / "dev.tsv", ["the town\t1"])
    with pytest.raises(
        ConfigError, match="trained for the labels no, yes, maybe, not for negative, positive"
    ):
        SST2().read(tmp_path, SPACE, facts={"labels": ["no", "yes", "maybe"]})


def test_a_few_steps_of_training_learn_a_word(tmp_path: Path) -> None:
    write_vocab(tmp_path)
    rng = random.Random(0)
    rows = []
    for number in range(40):
        words = [rng.choice(["town", "of", "river", "in"]) for _ in range(5)]
        words[rng.randrange(5)] = ("old", "the")[number % 2]
        rows.append(f"{' '.join(words)}\t{number % 2}")
    write_rows(tmp_path / "train.tsv", rows[:32])
    write_rows(tmp_path / "dev.tsv", rows[32:])
    task = SST2()
    data = task.read(tmp_path, SPACE)
    assert data.train is not None
    arch = SPACE.architecture({"width": 16, "heads": 2})
    network = SPACE.load(build_network(SPACE, arch, task=task, facts=data.facts), arch, seed=0)
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.02)
    batch, targets = task.collate([data.train.sample(i) for i in range(32)])
    for _ in range(40):
        optimizer.zero_grad()
        task.loss(SPACE.forward(network, batch), targets).backward()
        optimizer.step()
    batch, targets = task.collate([data.valid.sample(i) for i in range(8)])
    predictions = task.predict(SPACE.forward(network.eval(), batch))
    assert task.metrics(predictions, targets, data.valid) == {"accuracy": 1.0}


COUNTS: list[tuple[Any, int, int]] = [
    (SST2, 67349, 872), (CoLA, 8551, 1043), (MRPC, 3667, 408), (STSB, 5749, 1500), (RTE, 2490, 277)
]  # fmt: skip


@needs_real_data
@pytest.mark.parametrize(("kind", "train", "valid"), COUNTS, ids=lambda kind: getattr(kind, "__name__", ""))
def test_the_real_tables_are_read_to_the_last_row(kind: type[SentenceTask], train: int, valid: int) -> None:
    for name, count in (("train", train), ("dev", valid)):
        rows, notices = kind.table.read(REAL / "glue" / kind.folder / f"{name}.tsv")
        assert (len(rows), notices) == (count, ())


@needs_real_data
def test_sentences_without_a_header_are_read_to_the_last_row() -> None:
    for name, count in (("train", 6920), ("dev", 872)):
        rows, notices = SST2.table.read(REAL / "sst2-sentences" / f"{name}.tsv")
        assert (len(rows), notices) == (count, ())


@needs_real_data
def test_real_pairs_have_their_quotes(tmp_path: Path) -> None:
    rows, _ = MRPC.table.read(REAL / "glue" / "MRPC" / "train.tsv")
    assert rows[0].texts[0].startswith('Amrozi accused his brother , whom he called " the witness " ,')
    assert rows[0].target == 1


def test_chance_is_the_best_of_one_answer_for_all(pairs: Path) -> None:
    labels = {"label": torch.tensor([0, 0, 0, 1])}
    valid = STSB().read(pairs, SPACE).valid
    assert SST2().chance(labels, valid) == 0.75
    # Precision 1/4 and recall 1 of the answer 1; the answer 0 has no F1.
    assert MRPC().chance(labels, valid) == pytest.approx(2 * 0.25 / 1.25)
    assert CoLA().chance(labels, valid) == 0.0
    assert STSB().chance({"label": torch.tensor([0.0, 2.5, 5.0])}, valid) == 0.0
