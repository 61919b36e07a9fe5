"""``denas export``, as a user types it."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import shutil
from pathlib import Path

import pytest
import torch

import denas_cv
from denas_core import Registry, load_model, save_model
from denas_core.cli import _run
from denas_core.errors import ConfigError
from denas_core.models.find import find_model
from denas_core.training.origin import untrained_model

SEARCH = [
    *("search", "cv/cnn", "--set", "space.image_size=16", "--set", "space.max_layers=1", "--set", "seed=3"),
    *(
        "--score",
        "scores/params",
        "--budget",
        "2",
        "--constraint",
        "params<=1e9",
        "--device",
        "cpu",
        "-q",
        "-o",
        "run",
    ),
]


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run."""
    folder = tmp_path_factory.mktemp("export")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert _run(SEARCH, debug=True) == 0
    return folder / "run"


@pytest.fixture
def run(searched: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A finished run of its own, ``run`` in the current directory."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(searched, tmp_path / "run")
    return Path("run")


@pytest.fixture
def trained(run: Path) -> Path:
    """The run, and a model as training leaves it."""
    model = untrained_model(run, Registry.discover())
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.network.parameters():
            parameter.add_(0.01 * torch.randn_like(parameter))
    facts = {"labels": [f"class {i}" for i in range(10)]}
    save_model(run / "training" / "model", dataclasses.replace(model, facts=facts, history={}))
    return run


def failed(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Return the one line with which a command fails."""
    capsys.readouterr()
    assert _run(["export", *arguments], debug=False) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("error: ") and printed.err.count("\n") == 1
    return printed.err


def test_it_prints_where_it_is_and_how_it_is_loaded(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert _run(["export", "run", "--to", "safetensors"], debug=True) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("exported: run/export/safetensors (")
    assert lines[1] == (
        "largest difference from the network: 0 of its largest output (batches of 1, 2 and 5; 1e-06 is allowed)"
    )
    assert lines[-2:] == ["  import denas_cv", "  network = denas_cv.load('run/export/safetensors')"]
    x = torch.randn(2, 3, 16, 16)
    with torch.no_grad():
        expected = load_model(trained / "training/model").network(x)
        for path in ("run/export/safetensors", trained, trained / "training/model"):
            network = denas_cv.load(path)
            assert not network.training
            assert torch.equal(network(x), expected)


def test_json_and_a_place_of_its_own(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    arguments = ["export", "run/training/model", "--to", "builtin/torch-export", "--out", "there", "--json"]
    assert _run(arguments, debug=True) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "denas.exported/1"
    assert (document["path"], document["exporter"]) == ("there/model.pt2", "builtin/torch-export")
    assert document["difference"] <= document["tolerance"]
    assert Path("there/model.pt2").stat().st_size < document["size_mb"] * 1e6
    assert json.loads(Path("there/card.json").read_text())["facts"]["labels"][3] == "class 3"


def test_a_run_that_is_not_trained_says_what_to_do(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert failed(["run", "--to", "safetensors"], capsys) == (
        "error: run 'run' is not trained; train it first: denas train run --data DATA; --untrained exports the "
        "weights that training begins with\n"
    )
    assert not (run / "export").exists()


def test_untrained_exports_the_best_architecture_with_fresh_weights(run: Path) -> None:
    assert _run(["export", "run", "--to", "safetensors", "--untrained"], debug=True) == 0
    model = load_model("run/export/safetensors")
    assert model.arch.as_dict() == json.loads((run / "best.json").read_text())
    assert dict(model.history) == {
        "run": "run",
        "weights": "fresh",
        "seed": 3,
        "search": {"budgets": ["params<=1e9"]},
    }
    assert "not trained yet" in Path("run/export/safetensors/README.md").read_text()
    fresh = model.space.load(model.space.build(model.arch), model.arch, seed=3)
    for name, tensor in fresh.state_dict().items():
        assert torch.equal(tensor, model.network.state_dict()[name])


def test_untrained_exports_another_finalist_if_one_is_selected(run: Path) -> None:
    choices = json.loads((run / "result.json").read_text())["choices"]
    best, smallest = choices["best"], choices["smallest"]
    assert best != smallest
    for place, (given, key) in enumerate(
        {"smallest": smallest, smallest[:9]: smallest, "best": best}.items()
    ):
        out = f"exported-{place}"
        arguments = ["export", "run", "--to", "safetensors", "--untrained", "--select", given, "--out", out]
        assert _run(arguments, debug=True) == 0
        assert load_model(out).arch.key == key


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["run", "--to", "safetensors", "--select", "knee"], "is exported with --untrained"),
        (
            ["run", "--to", "safetensors", "--untrained", "--select", "ffff"],
            "no finalist of run 'run' has a key",
        ),
        (["nowhere", "--to", "safetensors"], "'nowhere' is neither a run nor a trained model"),
        (
            ["nowhere", "--to", "safetensors", "--untrained"],
            "'nowhere' is not a run with a best architecture",
        ),
        (["run", "--to", "tensorrt"], "no installed plugin has an exporter 'tensorrt'"),
        (["run", "--to", "savetensors"], "no installed plugin has a"),
        (["run", "--to", "torch-export", "--set", "export.opset=3"], "has no option 'opset' (--set)"),
        (["run", "--to", "torch-export", "--set", "opset=3"], "write its options as export.NAME=VALUE"),
        (["run", "--to", "torch-export", "--set", "export.opset"], "is not of the form key=value"),
        (["run", "--to", "torch-export", "--out", "run"], "'run' exists and is not an export"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(
    arguments: list[str], text: str, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert text in failed(arguments, capsys)


def test_without_its_plugin_onnx_is_named_with_what_to_install(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    points = [point for point in importlib.metadata.entry_points(group="denas") if point.name != "onnx"]
    discovered = Registry.discover(points)
    monkeypatch.setattr(Registry, "discover", lambda: discovered)
    assert failed(["run", "--to", "onnx"], capsys) == (
        "error: exporter 'onnx/onnx' needs the plugin 'onnx', which is not installed; install it with: pip install "
        "denas-onnx\n"
    )


def test_without_safetensors_it_says_what_to_install(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "pip install 'denas-core[train]'" in failed(["run", "--to", "torch-export"], capsys)


def test_an_interrupted_export_leaves_the_run_as_it_was(
    trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(self: object, model: object, directory: Path) -> Path:
        (directory / "half").touch()
        raise KeyboardInterrupt

    monkeypatch.setattr("denas_core.builtin.exporters.torch_export.TorchExport.write", interrupted)
    before = sorted(trained.rglob("*"))
    assert _run(["export", "run", "--to", "torch-export"], debug=False) == 130
    assert sorted(trained.rglob("*")) == before


def test_the_model_of_a_run_is_found_and_a_stranger_is_not(trained: Path, tmp_path: Path) -> None:
    assert find_model(trained) == find_model(trained / "training/model") == trained / "training/model"
    with pytest.raises(ConfigError, match="neither a run nor a trained model"):
        find_model(tmp_path)
    (trained / "best.json").unlink()
    with pytest.raises(ConfigError, match="not a run with a best architecture"):
        untrained_model(trained, Registry.discover())


def test_the_card_of_a_network_from_a_run_says_what_the_search_says(trained: Path) -> None:
    result = json.loads((trained / "result.json").read_text())
    result["against_random"] = {"text": "better than all of 50 random networks"}
    (trained / "result.json").write_text(json.dumps(result))
    assert _run(["export", "run", "--to", "safetensors"], debug=True) == 0
    card = (trained / "export" / "safetensors" / "README.md").read_text()
    search = card.partition("## The search")[2].partition("## ")[0]
    assert '| budgets | \\["params\\<=1e9"\\] |' in search
    assert "better than all of 50 random networks" in search
    history = json.loads((trained / "export" / "safetensors" / "card.json").read_text())["history"]
    assert history["search"]["budgets"] == ["params<=1e9"]
