"""``denas shrink``: from a checkpoint to a smaller one that stock transformers loads."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from denas_core.cli import _run
from denas_core.registry.registry import Registry
from denas_core.training.origin import untrained_model

from .tiny_models import checkpoint

BOUND = ("--constraint", "params<=0.8x", "--budget", "3", "--device", "cpu")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shrink")
    model = shutil.copytree(checkpoint("bert"), folder / "model")
    assert _run(["shrink", str(model), *BOUND, "--out", str(folder / "small"), "-q"], debug=True) == 0
    return folder


def parameters(path: Path) -> dict[str, torch.Tensor]:
    from transformers import AutoModel

    return dict(AutoModel.from_pretrained(path).named_parameters())


def test_the_result_is_a_checkpoint_with_inherited_weights(made: Path) -> None:
    document = json.loads((made / "small/shrink.json").read_text())
    result = document["result"]
    small = parameters(Path(result["model"]))
    assert sum(map(torch.numel, small.values())) == result["params"]
    assert result["params"] <= 0.8 * result["params_of_checkpoint"]
    assert result["weights"] == "inherited"
    assert result["model"] in result["usage"] and "partial" not in result["usage"]
    assert "Its weights are those of the original checkpoint" in (made / "small/README.md").read_text()
    again = untrained_model(made / "small/search", Registry.discover())
    assert again.history["weights"] == "inherited"
    expected = dict(again.network.named_parameters())
    assert small.keys() == expected.keys()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in small.items())


def test_an_untrained_export_of_its_run_carries_the_same_weights(made: Path) -> None:
    out = made / "export"
    run = str(made / "small/search")
    assert _run(["export", run, "--to", "huggingface", "--untrained", "--out", str(out)], debug=True) == 0
    result = json.loads((made / "small/shrink.json").read_text())["result"]
    small, exported = parameters(Path(result["model"])), parameters(out)
    assert all(torch.equal(tensor, exported[name]) for name, tensor in small.items())


def test_the_same_command_again_has_nothing_to_do(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (made / "small/shrink.json").stat().st_mtime_ns
    command = ["shrink", str(made / "model"), *BOUND, "--out", str(made / "small"), "--json"]
    assert _run(command, debug=True) == 0
    assert json.loads(capsys.readouterr().out)["schema"] == "denas.shrunk/1"
    assert (made / "small/shrink.json").stat().st_mtime_ns == before
    assert _run([*command, "--seed", "1"], debug=False) == 2
    assert "holds another result (seed: 0 -> 1)" in capsys.readouterr().err


def damage(path: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    save_file(change(load_file(path)), path)


def with_nan(tensors: dict[str, Any]) -> dict[str, Any]:
    tensors["embeddings.word_embeddings.weight"][3, 1] = float("nan")
    return tensors


def cut(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1000])


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (shutil.rmtree, "there is no checkpoint"),
        (lambda folder: (folder / "model.safetensors").unlink(), "has no weights to inherit"),
        (cut, "model.safetensors' is damaged"),
        (
            lambda folder: damage(folder / "model.safetensors", with_nan),
            "tensor 'embeddings.word_embeddings.weight'",
        ),
    ],
)
def test_a_damaged_checkpoint_is_refused_before_the_search(
    spoil: Callable[[Path], None], text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(checkpoint("bert"), tmp_path / "model")
    spoil(folder)
    assert _run(["shrink", str(folder), *BOUND, "--out", str(tmp_path / "small"), "-q"], debug=False) == 2
    error = capsys.readouterr().err
    assert text in error and error.count("\n") == 1
    assert not (tmp_path / "small").exists()


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "_orig_mod.module."])
def test_names_of_wrapped_networks_are_understood(prefix: str, tmp_path: Path) -> None:
    from denas_core.pretrained import Pretrained

    folder = shutil.copytree(checkpoint("bert"), tmp_path / "model")
    expected = Pretrained.open(str(folder)).weights()
    damage(folder / "model.safetensors", lambda tensors: {f"{prefix}{k}": v for k, v in tensors.items()})
    found = Pretrained.open(str(folder)).weights()
    assert found.keys() == expected.keys()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in found.items())


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "small").mkdir()
    (tmp_path / "small/notes.txt").write_text("mine")
    assert (
        _run(["shrink", str(checkpoint("bert")), *BOUND, "--out", str(tmp_path / "small"), "-q"], debug=False)
        == 2
    )
    assert "is not empty; name another folder with --out" in capsys.readouterr().err


@pytest.mark.slow
def test_data_fine_tune_the_network_with_the_checkpoint_as_its_teacher(tmp_path: Path) -> None:
    folder = shutil.copytree(checkpoint("bert"), tmp_path / "model")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "film", "a", "very", "not"]
    (folder / "vocab.txt").write_text("\n".join(words))
    data = tmp_path / "SST-2"
    data.mkdir()
    rows = ["a good film\t1", "a bad film\t0", "a very good film\t1", "not a good film\t0"] * 4
    for name in ("train.tsv", "dev.tsv"):
        (data / name).write_text("\n".join(["sentence\tlabel", *rows]) + "\n")
    command = ["shrink", str(folder), *BOUND, "--data", str(data), "--task", "nlp/sst2", "-q"]
    command += ["--set", "training.epochs=1", "--out", str(tmp_path / "small")]
    assert _run(command, debug=True) == 0
    result = json.loads((tmp_path / "small/shrink.json").read_text())["result"]
    assert result["weights"] == "fine-tuned" and 0 <= result["metrics"]["accuracy"] <= 1
    plan = json.loads((tmp_path / "small/training/settings.json").read_text())
    assert plan["teacher"] == str(tmp_path / "small/teacher/model")
    assert json.dumps(plan).count('"distill_hidden": 1.0') == 1
    from transformers import AutoModelForSequenceClassification

    network = AutoModelForSequenceClassification.from_pretrained(result["model"])
    assert network.config.num_labels == 2
