"""Texts as they are, to probabilities of the next token and back to texts."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch

from denas_core import Outputs, Predictor, SearchSpace
from denas_core.errors import ConfigError
from denas_core.testing import TaskTests
from denas_nlp.language.blocks import BlockSplit, unigram_model
from denas_nlp.language.documents import read_corpus
from denas_nlp.language.scores import IGNORED, next_tokens, token_metrics, token_sums, unigram_perplexity
from denas_nlp.language.task import CausalLanguageModel
from tests.nlp.toy_decoder_space import ToyDecoder
from tests.nlp.toy_text_space import ToyText
from tests.predicting import saved_model

SPACE = ToyDecoder().named("toy/decoder")
TEXT = "".join(f"line {number} of an old town in wide valleys\n" for number in range(200))


def task_of(**options: object) -> CausalLanguageModel:
    """Return the task with blocks of 16 tokens."""
    return CausalLanguageModel(**{"max_length": 16, **options}).named("nlp/causal-lm")  # type: ignore[arg-type]


class TestPromises(TaskTests):
    def make(self) -> CausalLanguageModel:
        return task_of(max_new_tokens=3)

    def spaces(self) -> tuple[SearchSpace, ...]:
        return (SPACE,)


def test_networks_that_see_the_whole_text_are_unsuitable() -> None:
    task = task_of()
    assert task.why_unsuitable(SPACE) == ""
    for space in (ToyDecoder(blind=True).named("toy/blind"), ToyText().named("toy/text")):
        assert task.why_unsuitable(space).startswith("its networks are no language models of this kind")


def test_each_token_but_the_first_is_predicted_once(tmp_path: Path) -> None:
    path = tmp_path / "book.txt"
    path.write_text(TEXT)
    data = task_of(vocab="bytes").read(path, ToyDecoder(vocabulary=258).named("toy/bytes"))
    split = data.valid
    assert isinstance(split, BlockSplit)
    wanted = []
    for index in range(len(split)):
        _, targets = task_of().collate([split.sample(index)])
        wanted += [token for token in targets["next"].flatten().tolist() if token != IGNORED]
    assert wanted == list(split.predicted)
    assert len(wanted) + 1 == split.tokens
    # A model that has learnt nothing but how frequent tokens are.
    assert task_of().chance({}, split) == unigram_perplexity(split.predicted, split.unigram)
    # Bytes have no loss: every byte of the last tenth is one token, with the end token behind them.
    assert split.tokens == split.bytes + 1


def test_the_end_of_the_text_is_set_aside_at_the_end_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "book.txt"
    path.write_bytes(TEXT.replace("\n", "\r\n").encode())
    corpus = read_corpus(path, column="", to_evaluate=False, valid_share=0.1)
    assert corpus.train is not None
    assert corpus.train[0] + corpus.valid[0] == TEXT
    assert corpus.train[0].endswith("\n") and len(corpus.valid[0]) == pytest.approx(len(TEXT) / 10, rel=0.05)
    assert "the last 10 % of the text are" in corpus.notices[0]
    again = read_corpus(path, column="", to_evaluate=True, valid_share=0.1)
    assert again.train is None and again.valid == [TEXT]


def test_documents_of_folders_and_parts_are_found(tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    (folder / "deep").mkdir(parents=True)
    for number in range(12):
        (folder / "deep" / f"{number}.md").write_text(f"document {number} of twelve")
    (folder / "train_station.txt").write_text("a document about trains")
    (folder / ".hidden.txt").write_text("never read")
    (folder / "picture.svg").write_text("<svg/>")
    corpus = read_corpus(folder, column="", to_evaluate=False, valid_share=0.1)
    assert corpus.train is not None and len(corpus.train) == 12 and len(corpus.valid) == 1
    assert "1 other files of 'docs' are not read: 1 .svg" in corpus.notices[0]
    parts = tmp_path / "wiki"
    parts.mkdir()
    for part in ("train", "valid", "test"):
        (parts / f"wiki.{part}.tokens").write_text(part)
    corpus = read_corpus(parts, column="", to_evaluate=False, valid_share=0.1)
    assert (corpus.train, corpus.valid) == (["train"], ["valid"])
    test = read_corpus(parts, column="", to_evaluate=True, valid_share=0.1, part="test")
    assert test.valid == ["test"]
    folders = tmp_path / "folders"
    for part in ("train", "dev"):
        (folders / part).mkdir(parents=True)
        (folders / part / "a.txt").write_text(part)
    corpus = read_corpus(folders, column="", to_evaluate=False, valid_share=0.1)
    assert (corpus.train, corpus.valid) == (["train"], ["dev"])


def test_columns_of_tables_are_documents(tmp_path: Path) -> None:
    path = tmp_path / "posts.jsonl"
    rows = [{"id": number, "body": f"post number {number} of many"} for number in range(30)]
    path.write_text("".join(json.dumps(row) + "\n" for row in [*rows, {"id": 30, "body": ""}]))
    corpus = read_corpus(path, column="", to_evaluate=False, valid_share=0.1)
    assert corpus.train is not None and len(corpus.train) + len(corpus.valid) == 30
    assert any("1 rows of 'posts.jsonl' have no text" in notice for notice in corpus.notices)
    assert any("texts from 'body'; 'id' not read" in notice for notice in corpus.notices)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "holds no text: its files are empty"),
        (b"x", "too little text to use a part of it"),
        (b"words " * 50 + b"\x00", "is not text: byte 300 is 0"),
        (b"PK\x03\x04", "is not text, but a zip archive"),
    ],
)
def test_what_holds_no_text_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "book.txt"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=reason):
        task_of(vocab="bytes").read(path, ToyDecoder(vocabulary=258).named("toy/bytes"))


def test_a_folder_without_texts_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.svg").write_text("<svg/>")
    with pytest.raises(
        ConfigError, match="has no texts; give a text file, or a folder with files that end in"
    ):
        task_of().read(tmp_path, SPACE)


def test_metrics_are_those_of_known_probabilities() -> None:
    """A network that gives the next token the probability 1/4 at each of three positions has the perplexity 4."""
    ids = torch.tensor([[3, 1, 2, 0]])
    wanted = next_tokens(ids, torch.tensor([[True, True, True, False]]))
    assert wanted.tolist() == [[1, 2, IGNORED, IGNORED]]
    sums = token_sums(torch.zeros(1, 4, 4), wanted)
    metrics = token_metrics(sums, bytes=8)
    assert metrics["perplexity"] == pytest.approx(4)
    assert metrics["tokens"] == 2
    # Two tokens of two bits each, for eight bytes.
    assert metrics["bits_per_byte"] == pytest.approx(0.5)
    # Four tokens that were seen 3, 1, 0 and 0 times, each once more: 4/8, 2/8, 1/8, 1/8.
    model = unigram_model([3, 1, 0, 0])
    assert [math.exp(value) for value in model] == pytest.approx([0.5, 0.25, 0.125, 0.125])
    assert unigram_perplexity([0, 1], model) == pytest.approx(8**0.5)


def test_a_prediction_is_the_likeliest_continuation_until_the_end(tmp_path: Path) -> None:
    path, model, _ = saved_model(task_of(max_new_tokens=5), SPACE, tmp_path)
    assert model.task is not None
    predictor = Predictor(
        path=path,
        space=SPACE,
        task=model.task,
        facts=model.facts,
        forward=lambda batch: SPACE.forward(model.network, batch),
        network=model.network,
    )
    texts = ["old towns", "wide green valleys in"]
    together = [one.answer.text for one in predictor(texts) if one.answer is not None]
    assert len(together) == 2
    # Alone, and token by token from what the network says of the text so far.
    assert [predictor([text])[0].answer.text for text in texts] == together  # type: ignore[union-attr]
    sample = predictor._read("old towns").sample(0)
    ids, found = list(sample.ids), []
    tokenizer = predictor._read("x").tokenizer  # type: ignore[attr-defined]
    for _ in range(5):
        inputs = torch.tensor([ids + found])
        with torch.no_grad():
            _, logits = model.network(inputs)
        token = int(logits[0, -1].argmax())
        if token == tokenizer.end:
            break
        found.append(token)
    assert together[0] == tokenizer.text_of(found)


def test_texts_are_described_unless_they_have_labels(tmp_path: Path) -> None:
    path = tmp_path / "book.txt"
    path.write_text(TEXT)
    found = task_of().describe(path)
    assert found is not None and not found.exact
    assert found.samples == {"train": 1} and found.task_options == {"vocab": "bpe"}
    assert found.facts["words"] == 200 * 9
    table = tmp_path / "reviews.csv"
    table.write_text("text,label\n" + "a good film,1\n" * 20)
    assert task_of().describe(table) is None
    assert task_of(text="text").describe(table) is not None
    sounds = tmp_path / "sounds"
    sounds.mkdir()
    (sounds / "a.wav").write_bytes(b"RIFF")
    (sounds / "a.txt").write_text("spoken words")
    assert task_of().describe(sounds) is None


def test_assessing_keeps_no_scores_of_whole_vocabularies() -> None:
    logits = torch.randn(2, 5, 7, generator=torch.Generator().manual_seed(0))
    outputs = Outputs(features=logits, logits={"logits": logits})
    found = task_of().assess(outputs, {"next": torch.randint(7, (2, 5))})
    assert found.shape == (2, 3)
