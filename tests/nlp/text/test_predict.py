"""Answers for texts: labels and scores of sentences, and parts of a paragraph."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch

from denas_core import Predictor, Registry
from denas_nlp.squad.best import best_answers
from tests.core.toy_searches import denas_command, denas_here, environment
from tests.predicting import outputs_for, saved_model

WORDS = "the film is great and the cast is good"


def model_for(id: str, folder: Path, **options: Any) -> Any:
    registry = Registry.discover()
    space = registry.create("space", "nlp/bert:micro")
    return saved_model(registry.create("task", id, options), space, folder)


def test_a_sentence_gets_the_label_of_the_largest_output(tmp_path: Path) -> None:
    folder, model, read = model_for("nlp/sst2", tmp_path)
    rows, _ = model.task.table.read(tmp_path / "data" / "dev.tsv")
    sentences = [row.texts[0] for row in rows]
    for index, found in enumerate(Predictor.load(folder, batch_size=5)(sentences)):
        wanted = outputs_for(model, read, index).logits["logits"][0].softmax(-1)
        assert found.answer is not None and found.name == sentences[index]
        assert found.answer.text == model.facts["labels"][int(wanted.argmax())]
        assert found.answer.probability == pytest.approx(float(wanted.max()), abs=1e-5)


def test_a_file_has_an_input_in_each_line_and_a_text_can_be_given_itself(tmp_path: Path) -> None:
    folder, *_ = model_for("nlp/sst2", tmp_path)
    file = tmp_path / "reviews.txt"
    file.write_bytes(b"\xef\xbb\xbf" + f"{WORDS}\r\n\n{WORDS}\n".encode())
    done = denas_here("predict", str(folder), str(file), "--text", WORDS, "--json")
    text, first, third = json.loads(done.stdout)["predictions"]
    assert [text["input"], first["input"], third["input"]] == [WORDS, f"{file}:1", f"{file}:3"]
    assert text["answer"] == first["answer"] and text["probability"] == pytest.approx(first["probability"])


def test_a_pair_has_a_score_and_a_sentence_alone_is_refused(tmp_path: Path) -> None:
    folder, *_ = model_for("nlp/stsb", tmp_path)
    pair, alone, empty = Predictor.load(folder)([f"{WORDS}\t{WORDS}", WORDS, (WORDS, "")])
    assert pair.answer is not None and pair.answer.probability is None and float(pair.answer.text)
    for refused in (alone, empty):
        assert refused.answer is None and "two sentences with a tab" in str(refused.fault)


def test_a_line_that_is_not_utf8_is_named_and_the_others_are_answered(tmp_path: Path) -> None:
    folder, *_ = model_for("nlp/sst2", tmp_path)
    (tmp_path / "old.txt").write_bytes(b"good\nna\xefve\nfine\n")
    done = denas_here("predict", str(folder), str(tmp_path / "none.txt"), str(tmp_path / "old.txt"))
    assert done.returncode == 2 and "line 2 of" in done.stderr and "not UTF-8" in done.stderr
    assert "none.txt" in done.stderr and "2 of the inputs could not be answered" in done.stderr
    assert [line.partition("\t")[0][-2:] for line in done.stdout.splitlines()] == [":1", ":3"]


def test_a_line_of_a_pipe_that_is_not_utf8_is_named_and_the_others_are_answered(tmp_path: Path) -> None:
    folder, *_ = model_for("nlp/sst2", tmp_path)
    done = subprocess.run(
        denas_command("predict", str(folder), "-"),
        input=b"good\nna\xefve\nfine\n", capture_output=True, env=environment(), check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 2 and b"is not UTF-8" in done.stderr
    assert [line.partition(b"\t")[0] for line in done.stdout.splitlines()] == [b"good", b"fine"]


@pytest.mark.parametrize(
    ("id", "good", "bad"),
    [
        ("nlp/mrpc", f"{WORDS}\t{WORDS}", WORDS),
        ("nlp/squad", json.dumps({"question": "what is good?", "context": WORDS}), '{"question": "who?"}'),
    ],
)
def test_a_line_of_a_file_with_another_form_does_not_end_the_others(
    tmp_path: Path, id: str, good: str, bad: str
) -> None:
    folder, *_ = model_for(id, tmp_path)
    (tmp_path / "inputs.txt").write_text("\n".join((good, bad, good)) + "\n", encoding="utf-8")
    done = denas_here("predict", str(folder), str(tmp_path / "inputs.txt"))
    assert done.returncode == 2 and "inputs.txt:2: " in done.stderr
    assert [line.partition("\t")[0][-2:] for line in done.stdout.splitlines()] == [":1", ":3"]


def test_a_question_gets_the_best_part_of_all_windows_of_its_paragraph(tmp_path: Path) -> None:
    folder, model, read = model_for("nlp/squad", tmp_path, max_length=32, query_length=8)
    document = json.loads((tmp_path / "data" / "dev-v1.1.json").read_text())
    inputs = [
        {"question": question["question"], "context": paragraph["context"]}
        for paragraph in document["data"][0]["paragraphs"]
        for question in paragraph["qas"]
    ]
    details = [model.task.predict(outputs_for(model, read, index)) for index in range(len(read.valid))]
    assert len(details) > len(inputs), "a paragraph has several windows"
    wanted = best_answers(torch.cat(details), read.valid, longest=model.task.max_answer_length)
    found = Predictor.load(folder, batch_size=4)([*inputs, json.dumps(inputs[0])])
    assert [each.answer and each.answer.text for each in found] == [*wanted, wanted[0]]
    assert all(answer in each["context"] for answer, each in zip(wanted, inputs, strict=True))


@pytest.mark.parametrize(
    "given", ["no json", "[]", '{"question": "who?"}', '{"question": 1, "context": "x"}']
)
def test_a_question_without_a_paragraph_is_refused(tmp_path: Path, given: str) -> None:
    folder, *_ = model_for("nlp/squad", tmp_path)
    (found,) = Predictor.load(folder)([given])
    assert "a question with its paragraph" in str(found.fault)


def test_texts_are_answered_by_an_export_in_batches_without_padding(tmp_path: Path) -> None:
    from denas_core.models import export_model

    folder, model, _ = model_for("nlp/sst2", tmp_path)
    done = export_model(Registry.discover().create("exporter", "torch-export"), model, tmp_path / "export")
    texts = [WORDS, "good", "the cast"]
    for one, other in zip(Predictor.load(done.path)(texts), Predictor.load(folder)(texts), strict=True):
        assert one.answer is not None and other.answer is not None
        assert one.answer.probability == pytest.approx(other.answer.probability, abs=1e-5)
