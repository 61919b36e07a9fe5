"""Question answering from a folder to metrics."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from denas_core.contracts.space import SearchSpace
from denas_core.errors import ConfigError, PluginError
from denas_core.models.trained import build_network
from denas_core.networks.heads import PositionHead
from denas_core.registry.registry import Registry
from denas_core.testing import TaskTests
from denas_core.values.batch import Outputs
from denas_nlp.squad.answers import measured
from denas_nlp.squad.best import best_answers, likeliest
from denas_nlp.squad.split import QuestionSplit
from denas_nlp.squad.task import Squad
from tests.nlp.texts import REAL, needs_real_data, squad, write_json, write_vocab
from tests.nlp.toy_text_space import ToyText

SPACE = ToyText().named("toy/text")
TEXT = "the old town, rivers of the town, a river in the old b in 1817."
SMALL: dict[str, Any] = {"max_length": 16, "query_length": 3, "doc_stride": 5, "n_best": 4}


class TestPromises(TaskTests):
    def make(self) -> Squad:
        return Squad().named("nlp/squad")

    def spaces(self) -> tuple[SearchSpace, ...]:
        return (SPACE, ToyText(segments=False, vocabulary=10).named("toy/small"))


class TestPromisesOfManyWindows(TaskTests):
    def make(self) -> Squad:
        return Squad(max_length=24, query_length=6, doc_stride=8, n_best=3).named("nlp/squad")

    def spaces(self) -> tuple[SearchSpace, ...]:
        return (SPACE,)


@pytest.fixture
def towns(tmp_path: Path) -> Path:
    write_vocab(tmp_path)
    questions = [
        ("river in the town", "rivers", TEXT.index("rivers")),
        ("in", "1817", TEXT.index("1817")),
    ]
    for name in ("train-v1.1.json", "dev-v1.1.json"):
        write_json(tmp_path / name, squad((TEXT, questions)))
    return tmp_path


def perfect(split: QuestionSplit, count: int) -> torch.Tensor:
    """Return predictions that know where answers are, in the windows that hold them."""
    likely = torch.zeros(len(split), 2, count, 2)
    likely[..., 1] = -math.inf
    for index in range(len(split)):
        start, end = split.sample(index).targets
        likely[index, :, 0, 1] = 1.0
        likely[index, 0, 0, 0], likely[index, 1, 0, 0] = start, end
    return likely


def as_split(data: Any) -> QuestionSplit:
    assert isinstance(data, QuestionSplit)
    return data


def test_the_registry_has_it_with_the_settings_of_the_original() -> None:
    task = Registry.discover().create("task", "squad")
    assert (task.id, task.max_length, task.doc_stride, task.query_length) == ("nlp/squad", 384, 128, 64)
    assert (task.max_answer_length, task.metric.name) == (30, "f1")
    assert task.recipe == {
        **{"epochs": 2, "batch_size": 32, "optimizer": "adamw", "lr": 6e-5, "weight_decay": 0.01},
        **{"schedule": "linear", "warmup": 0.1, "clip": 1.0},
    }


def test_windows_hold_the_question_and_the_answer_or_point_to_the_first_token(towns: Path) -> None:
    split = as_split(Squad(**SMALL).read(towns, SPACE).train)
    # 20 tokens; [CLS] and two [SEP] leave 10 beside a question of 3, of which one more is cut.
    bounds = [(window.start, window.stop) for window in split.windows]
    assert bounds == [(0, 10), (5, 15), (10, 20), (0, 12), (5, 17), (10, 20)]
    assert list(split.owners) == [0, 0, 0, 1, 1, 1]
    assert split.cut == 1
    first = split.sample(0)
    assert list(first.ids) == [2, 7, 10, 4, 3, 4, 9, 5, 13, 7, 8, 6, 4, 5, 13, 3]
    assert list(first.segments) == [0] * 5 + [1] * 11
    assert [split.length(index) for index in range(6)] == [16, 16, 16, 16, 16, 14]
    # "rivers" are tokens 4 and 5, in the first window behind 5 others; 1817 is 17 and 18, in the last one behind 3.
    targets = [split.sample(index).targets for index in range(6)]
    assert targets == [(9, 10), (0, 0), (0, 0), (0, 0), (0, 0), (10, 11)]


def test_what_it_tells_of_the_data(towns: Path) -> None:
    assert Squad(**SMALL).read(towns, SPACE).notices == (
        "2 of 4 questions have more than 3 tokens and are cut (task.query_length)",
    )
    assert not Squad(max_length=64, query_length=8).read(towns, SPACE).notices


def test_questions_whose_answer_is_not_there_are_measured_and_not_learnt(towns: Path) -> None:
    questions = [("river", "a mill", 0), ("in", "1817", TEXT.index("1817"))]
    for name in ("train-v1.1.json", "dev-v1.1.json"):
        write_json(towns / name, squad((TEXT, questions)))
    data = Squad(max_length=64, query_length=8).read(towns, SPACE)
    assert [len(as_split(split).questions) for split in (data.train, data.valid)] == [1, 2]
    assert "1 training questions have no answer in their paragraph and were left out" in data.notices
    assert data.valid.sample(0).targets == (0, 0)


def test_a_network_that_knows_the_places_gives_the_answers_to_the_letter(towns: Path) -> None:
    split = as_split(Squad(**SMALL).read(towns, SPACE).valid)
    assert best_answers(perfect(split, 4), split, longest=30) == ["rivers", "1817"]


def test_the_best_answer_is_that_of_all_windows(towns: Path) -> None:
    split = as_split(Squad(**SMALL).read(towns, SPACE).valid)
    likely = torch.zeros(6, 2, 2, 2)
    likely[..., 1] = -math.inf

    def says(window: int, place: int, *, start: tuple[int, float], end: tuple[int, float]) -> None:
        for side, (token, score) in enumerate((start, end)):
            # Tokens of the paragraph, as places behind a question of 3 tokens with 2 special ones.
            likely[window, side, place] = torch.tensor([token - split.windows[window].start + 5.0, score])

    # A better one that begins where another window sees more.
    says(0, 0, start=(9, 9.0), end=(9, 9.0))
    # Better ends before the beginning, and in front of the paragraph.
    says(1, 0, start=(10, 2.0), end=(8, 5.0))
    says(1, 1, start=(2, 7.0), end=(11, 1.0))
    assert best_answers(likely, split, longest=30)[0] == "a river"
    assert best_answers(likely, split, longest=1)[0] == ""
    says(2, 0, start=(14, 2.0), end=(14, 2.0))
    assert best_answers(likely, split, longest=30)[0] == "old"
    # No window has one.
    assert best_answers(likely, split, longest=30)[1] == ""


def test_the_likeliest_places_are_as_many_whatever_the_length() -> None:
    scores = torch.tensor(
        [[[0.0, 5.0], [2.0, -1.0], [1.0, 3.0]], [[1.0, 1.0], [9.0, 2.0], [-math.inf, -math.inf]]]
    )
    found = likeliest(scores, 4)
    assert found.shape == (2, 2, 4, 2)
    assert found[0, 0].tolist() == [[1, 2], [2, 1], [0, 0], [0, -math.inf]]
    assert found[0, 1, :2].tolist() == [[0, 5], [2, 3]]
    assert found[1, 1].tolist() == [[1, 2], [0, 1], [2, -math.inf], [0, -math.inf]]
    assert likeliest(scores, 1).tolist() == [[[[1, 2]], [[0, 5]]], [[[1, 9]], [[1, 2]]]]


def outputs(logits: torch.Tensor, mask: torch.Tensor) -> Outputs:
    return Outputs(features=logits, logits={"logits": logits}, masks={"logits": mask})


def test_the_loss_is_the_mean_cross_entropy_of_both_ends_over_the_tokens_that_are_there() -> None:
    logits = torch.randn(2, 4, 2, generator=torch.Generator().manual_seed(0)).requires_grad_()
    mask = torch.tensor([[True, True, True, True], [True, True, True, False]])
    start, end = torch.tensor([1, 0]), torch.tensor([3, 2])
    for smoothing in (0.0, 0.2):
        loss = Squad().loss(outputs(logits, mask), {"start": start, "end": end}, label_smoothing=smoothing)
        expected = torch.zeros(())
        for row, tokens in ((0, 4), (1, 3)):
            for side, place in ((0, start[row]), (1, end[row])):
                expected += F.cross_entropy(logits[row, :tokens, side], place, label_smoothing=smoothing) / 4
        assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
        (gradient,) = torch.autograd.grad(loss, logits)
        assert bool(gradient.isfinite().all())
        assert gradient[1, 3].tolist() == [0, 0]


def test_a_teacher_is_imitated_in_where_answers_begin_and_end() -> None:
    generator = torch.Generator().manual_seed(0)
    ours = torch.randn(2, 3, 2, generator=generator).requires_grad_()
    theirs = torch.randn(2, 3, 2, generator=generator)
    mask = torch.tensor([[True, True, True], [True, True, False]])
    found = Squad().imitation(outputs(ours, mask), outputs(theirs, mask), temperature=2.0)
    expected = torch.zeros(())
    for row, tokens in ((0, 3), (1, 2)):
        for side in range(2):
            p, q = ((x[row, :tokens, side] / 2).softmax(0) for x in (theirs, ours))
            expected += (p * (p / q).log()).sum() / 4
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)
    (gradient,) = torch.autograd.grad(found, ours)
    assert bool(gradient.isfinite().all())
    assert float(Squad().imitation(outputs(theirs, mask), outputs(theirs, mask), temperature=2.0)) == 0.0


def test_outputs_that_are_no_scores_of_tokens_are_a_fault_of_the_space() -> None:
    with pytest.raises(PluginError, match=r"'logits' of shape \(2, 3\) is not; a network gives"):
        Squad().predict(outputs(torch.zeros(2, 3), torch.ones(2, 3, dtype=torch.bool)))
    plain = Outputs(features=torch.zeros(2, 3, 2), logits={"logits": torch.zeros(2, 3, 2)})
    with pytest.raises(PluginError, match="has no mask"):
        Squad().predict(plain)


def test_questions_that_leave_no_room_are_refused(towns: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"samples of 64 tokens have no room .* question of 64 \(task.query_length\) and 3"
    ):
        Squad(max_length=64).read(towns, SPACE)


def test_the_head_is_one_of_positions() -> None:
    head = Squad().head(12, {})
    assert isinstance(head, PositionHead)
    assert head.weight.shape == (2, 12)


def test_some_steps_of_training_find_the_answers(tmp_path: Path) -> None:
    write_vocab(tmp_path)
    texts = [" ".join([*["of"] * n, "old", *["in"] * (6 - n)]) for n in range(6)]
    document = squad(*[(text, [("the river", "old", text.index("old"))]) for text in texts])
    for name in ("train-v1.1.json", "dev-v1.1.json"):
        write_json(tmp_path / name, document)
    task = Squad(max_length=32, query_length=8)
    data = task.read(tmp_path, SPACE)
    assert data.train is not None
    arch = SPACE.architecture({"width": 16, "heads": 2})
    network = SPACE.load(build_network(SPACE, arch, task=task, facts=data.facts), arch, seed=0)
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.02)
    batch, targets = task.collate([data.train.sample(i) for i in range(6)])
    for _ in range(30):
        optimizer.zero_grad()
        task.loss(SPACE.forward(network, batch), targets).backward()
        optimizer.step()
    predictions = task.predict(SPACE.forward(network.eval(), batch))
    assert task.metrics(predictions, targets, data.valid) == {"f1": 1.0, "exact_match": 1.0}


@needs_real_data
@pytest.mark.parametrize(
    ("name", "windows", "f1", "exact_match"),
    [
        ("dev-v1.1.json", 363, 1.0, 1.0),
        ("xquad.en.json", 1232, 0.9997, 0.9991),
        # Some answers of the data end within a word.
        ("train-v1.1.json", 3898, 0.9946, 0.9942),
    ],
)
def test_windows_over_real_paragraphs_give_back_nearly_every_answer(
    tmp_path: Path, name: str, windows: int, f1: float, exact_match: float
) -> None:
    space = ToyText(vocabulary=30522, positions=512).named("toy/text")
    task = Squad(vocab=str(REAL / "bert-vocab" / "bert-base-uncased" / "vocab.txt"))
    facts = task.prepared(tmp_path, space).facts()
    # Under another name, since of a file for training a part alone is measured on.
    path = Path(shutil.copy(REAL / "squad" / name, tmp_path / "whole.json"))
    split = as_split(task.read(path, space, facts=facts).valid)
    assert len(split) == windows
    found = best_answers(perfect(split, 1), split, longest=10**6)
    pairs = zip(found, (question.answers for question in split.questions), strict=True)
    assert measured(pairs) == {
        "f1": pytest.approx(f1, abs=1e-4),
        "exact_match": pytest.approx(exact_match, abs=1e-4),
    }


def test_the_worst_answers_differ_in_the_most_words(towns: Path) -> None:
    task = Squad(**SMALL)
    data = task.read(towns, SPACE)
    split = as_split(data.valid)
    right = task.worst_answers(perfect(split, 4), {}, split, data.facts)
    assert (right["errors"], right["samples"], right["answers"]) == ("wrong words", len(split.questions), [])
    nothing = torch.zeros(len(split), 2, 4, 2)
    nothing[..., 1] = -math.inf
    found = task.worst_answers(nothing, {}, split, data.facts)
    assert [(one["sample"], one["expected"], one["answered"], one["errors"]) for one in found["answers"]] == [
        (question.text, question.answers[0], "", 1.0) for question in split.questions
    ]
