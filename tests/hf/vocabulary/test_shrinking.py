"""``denas shrink --vocabulary``: a smaller network of a checkpoint that knows fewer tokens."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from denas_core.cli import _run

from .test_trimming import NETWORKS
from .tokenizers_of_kinds import ENGLISH, SIZE, checkpoint_with, sentences, tokenizer, unpadded

SEARCH = ("--budget", "3", "--device", "cpu", "-q")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    kind, network, values = NETWORKS["bert"]
    return checkpoint_with(tmp_path / "model", kind, network, values)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "SST-2"
    folder.mkdir()
    rows = [f"{text}\t{place % 2}" for place, text in enumerate(sentences(40, words=tuple(ENGLISH[:12])))]
    for name in ("train.tsv", "dev.tsv"):
        (folder / name).write_text("\n".join(["sentence\tlabel", *rows]) + "\n", encoding="utf-8")
    return folder


def shrink(model: Path, out: Path, *more: str) -> int:
    return _run(["shrink", str(model), "--out", str(out), *SEARCH, *more], debug=False)


def parameters(path: Path) -> int:
    from transformers import AutoModel

    return sum(tensor.numel() for tensor in AutoModel.from_pretrained(path).parameters())


def test_bounds_are_relative_to_the_checkpoint(model: Path, tmp_path: Path) -> None:
    whole = parameters(model)
    # No network without all of its tokens is as large as this.
    bound = (whole - 16 * (SIZE - 200)) / whole
    assert shrink(model, tmp_path / "small", "--vocabulary", "200", "-c", f"params<={bound:.6f}x") == 0
    result = json.loads((tmp_path / "small/shrink.json").read_text())["result"]
    assert result["params_of_checkpoint"] == whole
    assert result["params"] == parameters(tmp_path / "small") <= bound * whole
    assert (result["tokens"], result["tokens_of_checkpoint"]) == (200, SIZE)
    config = json.loads((tmp_path / "small/config.json").read_text())
    assert config["vocab_size"] == 200
    text = sentences(1)[0]
    assert (
        unpadded(tmp_path / "small").encode(text).ids
        == unpadded(tmp_path / "small/vocabulary").encode(text).ids
    )


@pytest.mark.parametrize(
    ("more", "is_said"),
    [
        (("-c", "params<=0.8x"), True),
        (("-c", "flops<=0.8x"), False),
        (("-c", "params<=0.8x", "--vocabulary", "200"), False),
    ],
)
def test_a_smaller_vocabulary_is_suggested_where_it_would_help(
    more: tuple[str, ...], is_said: bool, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["shrink", str(model), "--out", str(tmp_path / "small"), "--budget", "2", "--device", "cpu"]
    assert _run([*command, *more], debug=True) == 0
    share = 16 * SIZE / parameters(model)
    said = " ".join(capsys.readouterr().err.split())
    assert (f"{share:.0%} of the parameters of the checkpoint are rows for tokens" in said) == is_said


def test_the_whole_network_is_kept_if_fewer_tokens_are_enough(model: Path, tmp_path: Path) -> None:
    bound = (parameters(model) - 16 * 100) / parameters(model)
    command = ("--vocabulary", str(SIZE - 100), "-c", f"params<={bound:.6f}x", "--budget", "12")
    assert shrink(model, tmp_path / "small", *command) == 0
    arch = json.loads((tmp_path / "small/shrink.json").read_text())["result"]["arch"]
    assert arch == {"layers": 2, "heads": 2, "intermediate": 24}


def test_tokens_of_the_data_are_kept_and_the_network_is_fine_tuned(
    model: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = ("--vocabulary", "150", "-c", "params<=0.8x", "--data", str(data), "--task", "nlp/sst2", "--json")
    assert shrink(model, tmp_path / "small", *more, "--set", "training.epochs=1") == 0
    result = json.loads(capsys.readouterr().out)
    assert result["weights"] == "fine-tuned"
    assert 10 < result["tokens_of_data"] == result["tokens_of_data_kept"] < 150
    small = unpadded(tmp_path / "small")
    for line in (data / "train.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        text = line.partition("\t")[0]
        assert small.encode(text).tokens == tokenizer("word-pieces").encode(text).tokens
    plan = json.loads((tmp_path / "small/training/settings.json").read_text())
    assert plan["teacher"] == str(tmp_path / "small/teacher/model")


def test_a_search_that_was_stopped_goes_on_with_the_same_copy(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "small"
    command = ("--vocabulary", "200", "-c", "params<=0.8x")
    assert shrink(model, out, *command) == 0
    record = json.loads((out / "shrink.json").read_text())
    (out / "shrink.json").write_text(json.dumps({**record, "result": None}))
    before = (out / "vocabulary/model.safetensors").stat().st_mtime_ns
    for name in ("config.json", "model.safetensors"):
        (out / name).unlink()
    assert shrink(model, out, *command) == 0
    assert (out / "vocabulary/model.safetensors").stat().st_mtime_ns == before
    assert json.loads((out / "shrink.json").read_text()) == record
    assert shrink(model, out, "--vocabulary", "201", "-c", "params<=0.8x") == 2


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--vocabulary", "20"), "a vocabulary of 20 tokens is too small"),
        (("--vocabulary", "400"), "so 400 are not a part of them"),
        (("--vocabulary", "200", "-c", "params<=0.01x"), "no architecture of 'hf/auto' has params<="),
        (("--vocabulary", "200", "--to", "nothing"), "nothing"),
        (("--vocabulary", "200", "--data", "nowhere"), "there is no data set at"),
    ],
)
def test_what_is_refused_leaves_nothing(
    more: tuple[str, ...], message: str, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shrink(model, tmp_path / "small", *more) in (2, 7)
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert not (tmp_path / "small").exists()
    (tmp_path / "small").mkdir()
    assert shrink(model, tmp_path / "small", *more) in (2, 7)
    assert not (tmp_path / "small/vocabulary").exists()
    assert shrink(model, tmp_path / "small", "--vocabulary", "200", "-c", "params<=0.8x") == 0


def test_a_vocabulary_without_a_tokenizer_file_is_converted(model: Path, tmp_path: Path) -> None:
    known = sorted(tokenizer("word-pieces").get_vocab().items(), key=lambda entry: entry[1])
    (model / "vocab.txt").write_text("\n".join(token for token, _ in known), encoding="utf-8")
    (model / "tokenizer.json").unlink()
    assert shrink(model, tmp_path / "small", "--vocabulary", "200", "-c", "params<=0.8x") == 0
    for text in sentences(10, words=tuple(ENGLISH)):
        after = unpadded(tmp_path / "small").encode(text)
        assert max(after.ids) < 200
        assert unpadded(tmp_path / "small").decode(after.ids) == text
