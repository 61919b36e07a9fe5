"""Classification of texts from a table to answers."""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from denas_core import Predictor, SearchSpace
from denas_core.errors import ConfigError
from denas_core.registry.registry import Registry
from denas_core.testing import TaskTests
from denas_nlp.classification.reading import Labelled
from denas_nlp.classification.targets import label_notices
from denas_nlp.classification.task import TextClassification
from tests.nlp.texts import write_vocab
from tests.nlp.toy_text_space import ToyText
from tests.predicting import outputs_for, saved_model

SPACE = ToyText().named("toy/text")


class TestPromises(TaskTests):
    def make(self) -> TextClassification:
        return TextClassification().named("nlp/text-classification")

    def spaces(self) -> tuple[SearchSpace, ...]:
        return (SPACE,)


class TestPromisesOfSeveralLabels(TaskTests):
    def make(self) -> TextClassification:
        return TextClassification(multi_label=True).named("nlp/text-classification")

    def spaces(self) -> tuple[SearchSpace, ...]:
        return (SPACE,)


def write(
    folder: Path, rows: Sequence[Sequence[Any]], name: str = "data.csv", header: str = "text,label"
) -> Path:
    write_vocab(folder)
    with (folder / name).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header.split(","), *rows])
    return folder / name


def many(*labels: Any, count: int = 10) -> list[tuple[str, Any]]:
    return [(f"the old town {number} of {label}", label) for label in labels for number in range(count)]


def refused(path: Path, **options: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        TextClassification(**options).read(path, SPACE)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_labels_of_the_user_are_kept_and_the_share_that_is_set_aside_has_all_of_them(tmp_path: Path) -> None:
    path = write(tmp_path, [*many("so-so", "Very good"), *many("rare", count=40)])
    data = TextClassification().read(path, SPACE)
    assert data.train is not None
    assert data.facts["labels"] == ["Very good", "rare", "so-so"]
    assert data.facts["columns"] == {"texts": ["text"], "labels": ["label"]}
    aside = Counter(data.valid.sample(index).targets for index in range(len(data.valid)))
    assert aside == {(0.0,): 1, (1.0,): 4, (2.0,): 1}
    assert data.notices[0] == "'data.csv' is CSV with commas: texts from 'text', labels from 'label'"


def test_numbers_are_in_order_and_names_of_columns_are_found_again(tmp_path: Path) -> None:
    path = write(tmp_path, many(10, 9, 1), header="body,rating")
    data = TextClassification().read(path, SPACE)
    assert data.facts["labels"] == ["1", "9", "10"]
    again = TextClassification().read(path, SPACE, facts=data.facts)
    assert again.train is None and again.facts == data.facts


def test_a_folder_has_parts_and_the_test_is_measured_on_when_it_is_asked_for(tmp_path: Path) -> None:
    for name, count in (("train.csv", 10), ("test.csv", 3), (".hidden.csv", 5), ("extra.csv", 4)):
        write(tmp_path, many("a", "b", count=count), name)
    data = TextClassification().read(tmp_path, SPACE)
    assert data.train is not None
    assert (len(data.train), len(data.valid)) == (18, 2)
    assert f"1 other files of {tmp_path.name!r} are not read: 'extra.csv'" in data.notices
    assert len(TextClassification().read(tmp_path, SPACE, facts=data.facts).valid) == 6
    assert len(TextClassification(split="train").read(tmp_path, SPACE, facts=data.facts).valid) == 20
    with pytest.raises(
        ConfigError, match=r"there is no part 'dev'; choose train, valid or test \(task.split\)"
    ):
        TextClassification(split="dev").read(tmp_path, SPACE, facts=data.facts)


def test_texts_that_are_in_both_parts_are_counted(tmp_path: Path) -> None:
    write(tmp_path, many("a", "b"), "train.csv")
    write(tmp_path, many("a", "b", count=2), "valid.csv")
    assert (
        "4 of the 4 validation texts are training texts, too: the metrics are better than for new texts"
        in TextClassification().read(tmp_path, SPACE).notices
    )


def test_a_label_that_is_in_one_part_only_is_named(tmp_path: Path) -> None:
    write(tmp_path, many("a", "b", "c"), "train.csv")
    write(tmp_path, many("a", "b", "d", count=11), "valid.csv")
    data = TextClassification().read(tmp_path, SPACE)
    assert data.facts["labels"] == ["a", "b", "c", "d"]
    assert set(data.notices) > {
        "the label 'c' is in no validation text, so nothing measures it; 10 training texts have it",
        "the label 'd' is in no training text, so it cannot be learnt; 11 validation texts have it",
    }


def test_labels_that_a_model_does_not_know_are_left_out_or_refused(tmp_path: Path) -> None:
    facts = TextClassification().read(write(tmp_path, many("a", "b")), SPACE).facts
    few = write(tmp_path, [*many("a", "b"), ("the town", "z")], "few.csv")
    data = TextClassification().read(few, SPACE, facts=facts)
    assert len(data.valid) == 20
    assert any(
        "1 of 21 texts of " in notice and "does not know: 'z' (1)" in notice for notice in data.notices
    )
    other = write(tmp_path, many("good", "bad"), "other.csv")
    with pytest.raises(
        ConfigError, match=r"does not know: 'good' \(10\), 'bad' \(10\); it was trained for a, b"
    ):
        TextClassification().read(other, SPACE, facts=facts)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (many("a"), "have the label 'a' (column 'label'); a classifier needs two labels"),
        (many("a", ""), "10 of the 20 rows of "),
        (many("", "nan"), "no label in 'label'"),
        ([("", "a"), (" ", "b"), ("x y", "a")], "no text in 'text'"),
        ([(f"old town {n}", n / 7) for n in range(60)], "different numbers, such as"),
        ([(f"old town {n}", f"id{n}") for n in range(200)], "they are no labels"),
    ],
)
def test_labels_that_are_none_are_refused(tmp_path: Path, rows: list[Any], reason: str) -> None:
    assert reason in refused(write(tmp_path, rows))


def test_notices_are_part_of_an_error(tmp_path: Path) -> None:
    path = write(tmp_path, many("a"))
    path.write_bytes(path.read_bytes() + "naïve,a\n".encode("cp1252"))
    assert "(note: 'data.csv' is not UTF-8 (line 12 has the byte 0xef)" in refused(path)


@pytest.mark.parametrize(
    ("header", "rows", "wanted"),
    [
        ("text,tags", [("a", "x|y"), ("b", "y"), ("c", "")], [{"x", "y"}, {"y"}, set()]),
        ("text,tags", [("a", "['x', 'y']"), ("b", "['y']"), ("c", "[]")], [{"x", "y"}, {"y"}, set()]),
        ("text,x,y", [("a", 1, 1), ("b", 0, 1), ("c", 0, 0)], [{"x", "y"}, {"y"}, set()]),
    ],
)
def test_several_labels_are_lists_texts_with_separators_or_columns(
    tmp_path: Path, header: str, rows: list[Any], wanted: list[set[str]]
) -> None:
    path = write(tmp_path, [(f"{text} {n}", *rest) for n in range(10) for text, *rest in rows], header=header)
    options = {"text": "text", "label": header.partition(",")[2]}
    assert "say so with --set task.multi_label=true" in refused(path, **options)
    task = TextClassification(multi_label=True, valid_share=0.1, **options)
    assert task.metric.name == "f1_micro"
    data = task.read(path, SPACE)
    assert data.facts["labels"] == ["x", "y"] and data.train is not None
    samples = [data.train.sample(index).targets for index in range(len(data.train))]
    found = [{"xy"[place] for place in range(2) if each[place]} for each in samples]
    assert [found.count(each) for each in wanted] == [9, 9, 9]


def test_lists_in_json_are_several_labels(tmp_path: Path) -> None:
    write_vocab(tmp_path)
    rows = [{"text": f"the town {n}", "labels": ["a", "b"][: n % 3]} for n in range(30)]
    path = tmp_path / "x.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    data = TextClassification(multi_label=True).read(path, SPACE)
    _, targets = TextClassification(multi_label=True).collate([data.valid.sample(0)])
    assert targets["label"].shape == (1, 2)


def test_a_description_says_what_a_training_would_read(tmp_path: Path) -> None:
    path = write(
        tmp_path, [(f"a review of {n}", "x|y" if n % 2 else "y") for n in range(40)], header="review,tags"
    )
    found = TextClassification().describe(path)
    assert found is not None
    assert (found.samples, found.labels) == ({"train": 40}, {"y": 40, "x": 20})
    assert not found.exact and found.task_options["multi_label"] is True
    assert json.loads(json.dumps(found.facts))["texts"] == "review"
    (tmp_path / "vocab.txt").unlink()
    assert TextClassification().describe(path).task_options["vocab"] == "wordpiece"  # type: ignore[union-attr]
    with pytest.raises(ConfigError, match="a classifier needs two labels"):
        TextClassification().describe(write(tmp_path, many("a"), "b.csv"))


def test_files_of_other_kinds_are_not_described(tmp_path: Path) -> None:
    task = TextClassification()
    (tmp_path / "notes.txt").write_text("These are, as it were, notes.\nThey have no labels.\n")
    write(tmp_path, [("a.wav", "the town"), ("b.wav", "the river")], "speech.csv", header="path,text")
    (tmp_path / "squad.json").write_text(json.dumps({"data": [{"title": "x", "paragraphs": []}]}))
    (tmp_path / "empty").mkdir()
    for name in ("notes.txt", "speech.csv", "squad.json", "empty"):
        assert task.describe(tmp_path / name) is None


def test_answers_are_the_labels_of_the_user_for_lines_and_tables(tmp_path: Path) -> None:
    registry = Registry.discover()
    space = registry.create("space", "nlp/bert:micro")
    folder, model, read = saved_model(registry.create("task", "nlp/text-classification"), space, tmp_path)
    predictor = Predictor.load(folder)
    rows = list(csv.DictReader((tmp_path / "data" / "valid.csv").open(encoding="utf-8")))
    (lines := tmp_path / "lines.txt").write_text("".join(f"{row['text']}\n" for row in rows))
    tables = predictor.named_inputs([tmp_path / "data" / "valid.csv", lines])
    found = list(predictor.stream(tables))
    assert [each.name for each in found[:2]] == [f"{tmp_path / 'data' / 'valid.csv'}:{n}" for n in (2, 3)]
    for index, each in enumerate(found):
        wanted = outputs_for(model, read, index % len(rows)).logits["logits"][0].softmax(-1)
        assert each.answer is not None
        assert each.answer.text == model.facts["labels"][int(wanted.argmax())]
        assert each.answer.probability == pytest.approx(float(wanted.max()), abs=1e-5)


@pytest.mark.parametrize("name", ["lines.txt.gz", "LINES.TXT"])
def test_a_text_file_that_is_packed_or_in_capitals_has_lines_and_no_header(tmp_path: Path, name: str) -> None:
    content = b"a fine film\nno good\nfine\n"
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    found = [text for _, text in TextClassification().items(tmp_path / name)]
    assert found == ["a fine film", "no good", "fine"]


def test_several_labels_are_answered_if_they_are_likelier_than_not() -> None:
    task = TextClassification(multi_label=True)
    facts = {"labels": ["a", "b", "c"]}
    answer = task.answer(torch.tensor([[0.7, 0.2, 0.9]]), None, facts=facts)  # type: ignore[arg-type]
    assert (answer.text, answer.probability) == ("c, a", None)
    assert list(answer.probabilities) == ["c", "a", "b"]
    assert task.answer(torch.tensor([[0.1, 0.2, 0.3]]), None, facts=facts).text == ""  # type: ignore[arg-type]


def test_names_that_look_equal_are_equal(tmp_path: Path) -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    write(tmp_path, many(composed, "b"), "train.csv", header=f"text,{composed}")
    write(tmp_path, many(decomposed, "b", count=2), "valid.csv", header=f"text,{decomposed}")
    for label in (composed, decomposed):
        data = TextClassification(label=label).read(tmp_path, SPACE)
        assert data.facts["labels"] == ["b", composed]
        assert not any("label" in notice and "validation" in notice for notice in data.notices)


def test_the_pipeline_of_transformers_gives_several_labels_their_own_probabilities(tmp_path: Path) -> None:
    from transformers import pipeline

    from denas_core.models import export_model

    registry = Registry.discover()
    space = registry.create("space", "nlp/bert:micro")
    task = registry.create("task", "nlp/text-classification", {"multi_label": True})
    folder, model, _ = saved_model(task, space, tmp_path)
    export_model(registry.create("exporter", "huggingface"), model, tmp_path / "hf")
    (found,) = pipeline("text-classification", str(tmp_path / "hf"), top_k=None)(["quiet green valleys"])
    (own,) = Predictor.load(folder)(["quiet green valleys"])
    assert own.answer is not None
    assert {each["label"]: each["score"] for each in found} == pytest.approx(
        own.answer.probabilities, abs=1e-5
    )


def test_labels_that_may_be_the_same_and_texts_that_say_nothing_are_told() -> None:
    items = [Labelled(("a film",), (label,)) for label in ("good", "Good", "bad", "bad", "bad")]
    found = label_notices(items, {"labels": ["Good", "bad", "good"]})
    assert found == [
        "the labels 'Good' and 'good' differ only in upper and lower case or in white space",
        "1 of the 1 different training texts occur with different labels, such as 'a film'",
        "the 5 training texts are only 1 different ones",
    ]
    plain = [Labelled((f"film {number}",), (label,)) for number, label in enumerate(("good", "bad"))]
    assert label_notices(plain, {"labels": ["bad", "good"]}) == []


def test_the_worst_answers_are_the_texts_with_the_most_wrong_labels(tmp_path: Path) -> None:
    rows = [("the old town", "a;b"), ("the rivers of", "a"), ("a mill", "b")] * 8
    path = write(tmp_path, rows, "train.csv")
    write(tmp_path, rows[:3], "valid.csv")
    task = TextClassification(multi_label=True)
    data = task.read(path.parent, SPACE)
    _, targets = task.collate([data.valid.sample(index) for index in range(3)])
    logits = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0]])
    found = task.worst_answers(logits, targets, data.valid, data.facts)
    assert (found["errors"], found["samples"], found["wrong"]) == ("wrong labels", 3, 2)
    assert found["answers"] == [
        {"sample": "the old town", "expected": "a, b", "answered": "", "errors": 2.0},
        {"sample": "a mill", "expected": "b", "answered": "a, b", "errors": 1.0},
    ]
    single = TextClassification().named("nlp/text-classification")
    assert (
        single.worst_answers(logits.argmax(1), {"label": targets["label"][:, 0]}, data.valid, data.facts)
        == {}
    )
