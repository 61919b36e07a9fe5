"""Tagged sentences from a file to spans."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from denas_core import Predictor, SearchSpace
from denas_core.errors import ConfigError
from denas_core.registry.registry import Registry
from denas_core.testing import TaskTests
from denas_core.values.answer import Answer
from denas_nlp.tagging.reader import TagReader
from denas_nlp.tagging.split import IGNORED, TaggedSplit, word_pieces_of
from denas_nlp.tagging.tagged import Tagged
from denas_nlp.tagging.task import TokenClassification
from tests.nlp.texts import byte_pairs, word_pieces, write_vocab
from tests.nlp.toy_text_space import ToyText
from tests.predicting import saved_model

SPACE = ToyText().named("toy/text")
CONLL = """-DOCSTART- -X- -X- O

the DT B-NP O
old JJ\tI-NP I-LOC
town NN I-NP I-LOC
a NN I-NP B-LOC

-DOCSTART- -X- -X- O

rivers NN B-NP I-PER
"""


class TestPromises(TaskTests):
    def make(self) -> TokenClassification:
        return TokenClassification().named("nlp/token-classification")

    def spaces(self) -> tuple[SearchSpace, ...]:
        return (SPACE,)


class TestPromisesOfDividedSentences(TaskTests):
    def make(self) -> TokenClassification:
        return TokenClassification(max_length=8).named("nlp/token-classification")

    def spaces(self) -> tuple[SearchSpace, ...]:
        return (ToyText(segments=False).named("toy/small"),)


def test_lines_of_conll_are_sentences(tmp_path: Path) -> None:
    path = tmp_path / "train.txt"
    for content in (CONLL, CONLL.replace("\n", "\r\n"), f"\ufeff# id 1 domain=x\n{CONLL}"):
        path.write_bytes(content.encode())
        sentences, notices = TagReader().read(path)
        assert sentences == [
            Tagged(("the", "old", "town", "a"), ("O", "I-LOC", "I-LOC", "B-LOC")),
            Tagged(("rivers",), ("I-PER",)),
        ]
        assert notices == ("'train.txt' has 4 columns: the first is the token, and the last is the tag",)


def test_tokens_without_tags_are_named_and_prose_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "train.txt"
    path.write_text("the O\n\n" * 30 + "town\nold O\n\n")
    sentences, [notice] = TagReader().read(path)
    assert len(sentences) == 30
    assert "1 of the 31 sentences of 'train.txt' are damaged" in notice
    assert "line 61 (a token without a tag: 'town')" in notice
    for content, reason in (
        ("", "has no sentence"),
        ("old\ntown\n", "a token without a tag"),
        ("a b\nc d e f\n", "have another number of columns than 2"),
    ):
        path.write_text(content)
        with pytest.raises(ConfigError, match=reason):
            TagReader().read(path)


def test_lists_of_tokens_are_sentences_too(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    path.write_text(f"{json.dumps({'tokens': ['old', 'town'], 'ner_tags': ['O', 'B-LOC']})}\n" * 2)
    assert TagReader().read(path)[0] == [Tagged(("old", "town"), ("O", "B-LOC"))] * 2
    path.write_text(f"{json.dumps({'tokens': ['old', 'town'], 'ner_tags': [0, 1]})}\n" * 2)
    with pytest.raises(ConfigError, match="are numbers whose names are not in the file"):
        TagReader().read(path)


def test_the_first_token_of_a_word_has_its_tag(tmp_path: Path) -> None:
    write_vocab(tmp_path)
    for name in ("train.txt", "valid.txt"):
        (tmp_path / name).write_text(CONLL)
    data = TokenClassification().read(tmp_path, SPACE)
    assert data.facts["labels"] == ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]
    assert data.train is not None
    assert data.train.sample(0).targets == (IGNORED, 0, 1, 2, 1, IGNORED)
    # "rivers" are two tokens.
    assert data.train.sample(1).targets == (IGNORED, 3, IGNORED, IGNORED)
    _, targets = TokenClassification().collate([data.train.sample(0), data.train.sample(1)])
    assert targets["tags"].tolist()[1] == [IGNORED, 3, IGNORED, IGNORED, IGNORED, IGNORED]


def test_words_have_tokens_with_every_tokenizer() -> None:
    for tokenizer in (word_pieces(), byte_pairs(special={"<s>": 0, "</s>": 1})):
        words = ["the", "rivers", "\u200b", "town"]
        pieces = word_pieces_of(words, tokenizer)
        assert len(pieces) == 4 and all(pieces)
    assert [list(piece) for piece in word_pieces_of(["rivers", "of"], word_pieces())] == [[7, 8], [6]]


def test_long_sentences_are_divided_between_words_and_measured_whole(tmp_path: Path) -> None:
    write_vocab(tmp_path)
    lines = [f"{word} {tag}" for word, tag in [("rivers", "B-LOC"), ("old", "I-LOC"), ("town", "O")] * 4]
    for name in ("train.txt", "valid.txt"):
        (tmp_path / name).write_text("\n".join(lines))
    task = TokenClassification(max_length=8)
    data = task.read(tmp_path, SPACE)
    split = data.valid
    assert isinstance(split, TaggedSplit)
    assert [len(piece.places) for piece in split.pieces] == [4, 5, 3]
    assert data.notices == ("2 of 2 sentences have more than 8 tokens and are divided (task.max_length)",)
    _, targets = task.collate([split.sample(index) for index in range(3)])
    perfect = targets["tags"].clamp(min=0)
    assert task.metrics(perfect, targets, split)["f1"] == 1.0
    assert task.metrics(torch.zeros_like(perfect), targets, split)["recall"] == 0.0


def test_a_sentence_of_the_user_gets_spans_of_its_text(tmp_path: Path) -> None:
    registry = Registry.discover()
    space = registry.create("space", "nlp/bert:micro")
    folder, model, _ = saved_model(registry.create("task", "nlp/token-classification"), space, tmp_path)
    text = "Quiet towns, and green valleys!"
    given, empty = Predictor.load(folder)([text, " "])
    assert given.answer is not None and given.answer.spans is not None
    assert all(text[span["start"] : span["end"]] == span["text"] for span in given.answer.spans)
    assert given.as_dict()["spans"] == [dict(span) for span in given.answer.spans]
    assert "a sentence has words" in str(empty.fault)
    task = model.task
    assert task is not None
    split = task.input_reader(space, facts=model.facts)(text)
    assert isinstance(split, TaggedSplit)
    tags = torch.zeros(1, len(split.sample(0).ids)).long()
    labels = model.facts["labels"]
    for word, tag in ((0, "B-PLACE"), (1, "I-PLACE"), (4, "B-PLACE")):
        tags[0, split.pieces[0].places[word]] = labels.index(tag)
    assert task.answer(tags, split, facts=model.facts) == Answer(
        text="Quiet towns [PLACE]; green [PLACE]",
        spans=(
            {"text": "Quiet towns", "label": "PLACE", "start": 0, "end": 11},
            {"text": "green", "label": "PLACE", "start": 17, "end": 22},
        ),
    )


def test_a_description_counts_spans_and_other_files_have_none(tmp_path: Path) -> None:
    (path := tmp_path / "train.txt").write_text(CONLL * 5)
    task = TokenClassification()
    found = task.describe(path)
    assert found is not None and found.exact
    assert (found.samples, found.labels) == ({"train": 10}, {"LOC": 10, "PER": 5})
    path.write_text("These are notes\nof a person\n")
    assert task.describe(path) is None
    with pytest.raises(ConfigError, match="have the tag 'O'"):
        path.write_text("old O\ntown O\n\n" * 3)
        task.read(path, SPACE)


def test_chance_is_the_most_frequent_tag_for_every_word(tmp_path: Path) -> None:
    write_vocab(tmp_path)
    for name in ("train.txt", "valid.txt"):
        (tmp_path / name).write_text("the O\nold O\ntown B-LOC\n\nrivers O\n")
    valid = TokenClassification().read(tmp_path, SPACE).valid
    assert TokenClassification().chance({}, valid) == 0.0
    for name in ("train.txt", "valid.txt"):
        (tmp_path / name).write_text("the DT\nold JJ\ntown NN\n\nrivers NN\n")
    valid = TokenClassification().read(tmp_path, SPACE).valid
    # As NN, the first sentence is one span, which is wrong, and the second is right; there are 4 spans.
    assert TokenClassification().chance({}, valid) == pytest.approx(2 * 1 / (2 + 4))


def test_the_worst_answers_are_the_sentences_with_the_most_wrong_tags(tmp_path: Path) -> None:
    write_vocab(tmp_path)
    for name in ("train.txt", "valid.txt"):
        (tmp_path / name).write_text(CONLL)
    task, data = TokenClassification(), TokenClassification().read(tmp_path, SPACE)
    _, targets = task.collate([data.valid.sample(index) for index in range(len(data.valid))])
    perfect = targets["tags"].clamp(min=0)
    assert task.worst_answers(perfect, targets, data.valid, data.facts)["answers"] == []
    found = task.worst_answers(torch.zeros_like(perfect), targets, data.valid, data.facts)
    assert (found["errors"], found["wrong"]) == ("wrong tags", 2)
    assert found["answers"] == [
        {
            "sample": "the old town a",
            "expected": "old town [LOC]; a [LOC]",
            "answered": "",
            "errors": 3.0,
        },
        {"sample": "rivers", "expected": "rivers [PER]", "answered": "", "errors": 1.0},
    ]
