"""The code of ``predict.py`` for texts makes the tokens and answers of the task, with tokenizers and NumPy alone."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch

from denas_core import Outputs, Registry
from denas_nlp.text.opening import FACT
from denas_nlp.text.sentences import kept
from tests.nlp.toy_text_space import ToyText

WORDS = "the film is great and the cast is good"
LONG = " ".join([WORDS] * 40)


def task_of(id: str, folder: Path, **options: Any) -> tuple[Any, Any, dict[str, Any]]:
    """Return a task, a space and the facts of a training."""
    task = Registry.discover().create("task", id, {"max_length": 21, **options})
    space = ToyText().named("toy/text")
    facts = dict(task.read(task.example(folder, space), space).facts)
    return task, space, facts


def namespace(code: str, facts: Any, folder: Path) -> dict[str, Any]:
    """Run the code beside the tokenizer of an export."""
    (folder / "tokenizer.json").write_text(facts[FACT], encoding="utf-8")
    found: dict[str, Any] = {"numpy": numpy, "HERE": folder, "Path": Path}
    exec("import os\n" + code, found)
    return found


@pytest.mark.parametrize(
    "id", ["nlp/text-classification", "nlp/text-regression", "nlp/sst2", "nlp/mrpc", "nlp/stsb"]
)
def test_inputs_are_those_of_the_task(id: str, tmp_path: Path) -> None:
    task, space, facts = task_of(id, tmp_path)
    read = namespace(task.script(space, facts=facts), facts, tmp_path)["read"]
    given = [WORDS, "good", " x ", LONG]
    if id in ("nlp/mrpc", "nlp/stsb"):
        given = [f"{one}\t{other}" for one in given for other in [*given, WORDS + " good"]]
    for text in given:
        split = task.input_reader(space, facts=facts)(task.item(text))
        ours, _ = task.collate([split.sample(0)])
        theirs = read(text)
        assert list(theirs) == list(ours.inputs)
        for name, tensor in ours.inputs.items():
            assert theirs[name].dtype == numpy.int64 and theirs[name].tolist() == tensor.tolist()


@pytest.mark.parametrize(
    ("id", "options"),
    [
        ("nlp/text-classification", {}),
        ("nlp/text-classification", {"multi_label": True}),
        ("nlp/text-regression", {}),
        ("nlp/sst2", {}),
        ("nlp/stsb", {}),
    ],
)
def test_answers_are_those_of_the_task(id: str, options: dict[str, Any], tmp_path: Path) -> None:
    task, space, facts = task_of(id, tmp_path, **options)
    answer = namespace(task.script(space, facts=facts), facts, tmp_path)["answer"]
    width = len(facts["labels"]) if facts.get("labels") else 1
    for seed in range(5):
        logits = torch.randn(1, width, generator=torch.Generator().manual_seed(seed))
        outputs = Outputs(features=logits, logits={"logits": logits})
        details = task.details(space, None, None, outputs, None)
        ours = task.answer(details, None, facts=facts)
        text, _, share = answer({"logits": logits.numpy()}).partition("\t")
        assert text == ours.text
        assert share == ("" if ours.probability is None else f"{ours.probability:.3f}")


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    task, space, facts = task_of("nlp/mrpc", tmp_path)
    found = namespace(task.script(space, facts=facts), facts, tmp_path)
    for given in ("alone", "a\tb\tc", "a\t "):
        with pytest.raises(ValueError, match="two texts with a tab between them"):
            found["read"](given)
    (tmp_path / "table.csv").write_text("text\na\n")
    for path in (tmp_path, tmp_path / "table.csv"):
        with pytest.raises(ValueError, match="'denas predict' reads tables and folders"):
            list(found["items"](str(path)))
    (tmp_path / "texts.txt").write_bytes(b"\xef\xbb\xbfone\r\n\ntwo\n")
    assert [text.strip() for _, text in found["items"](str(tmp_path / "texts.txt"))] == ["one", "two"]


def test_bytes_that_are_not_utf8_are_refused_with_their_line_alone(tmp_path: Path) -> None:
    task, space, facts = task_of("nlp/text-classification", tmp_path)
    found = namespace(task.script(space, facts=facts), facts, tmp_path)
    (tmp_path / "texts.txt").write_bytes(b"one\n\xff two\nthree\n")
    one, two, three = found["items"](str(tmp_path / "texts.txt"))
    assert (one[1], three[1], two[0]) == ("one", "three", f"{tmp_path / 'texts.txt'}:2")
    with pytest.raises(ValueError, match="the text is not UTF-8"):
        found["read"](two[1])


@pytest.mark.parametrize(
    "content",
    [gzip.compress(b"one\n", mtime=0), "one\n".encode("utf-16"), b"%PDF-1.4\none\n", b"one\0\n"],
    ids=["gzip", "utf-16", "pdf", "zero"],
)
def test_files_that_are_not_plain_text_are_refused_whole(tmp_path: Path, content: bytes) -> None:
    task, space, facts = task_of("nlp/text-classification", tmp_path)
    (tmp_path / "texts.txt").write_bytes(content)
    with pytest.raises(ValueError, match="it is not plain text in UTF-8"):
        list(
            namespace(task.script(space, facts=facts), facts, tmp_path)["items"](str(tmp_path / "texts.txt"))
        )


def test_a_tokenizer_that_is_missing_or_damaged_is_named(tmp_path: Path) -> None:
    task, space, facts = task_of("nlp/text-classification", tmp_path)
    code = task.script(space, facts=facts)
    for content in (None, facts[FACT][:500]):
        if content is not None:
            (tmp_path / "tokenizer.json").write_text(content, encoding="utf-8")
        with pytest.raises(ValueError, match=r"tokenizer\.json cannot be read"):
            exec("import os\n" + code, {"numpy": numpy, "HERE": tmp_path, "Path": Path})


def test_a_pair_whose_second_text_has_no_token_keeps_the_first() -> None:
    assert kept(30, 0, room=10) == (10, 0)
