"""Builds as a user runs them, on points in the plane."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import denas_core
from denas_core.errors import ConfigError
from tests.core.toy_searches import denas_here
from tests.core.training.test_resume import start_command

SHORT = (
    *("--score", "points/size", "--device", "cpu", "--time", "4min", "--to", "safetensors"),
    *("--set", "executor=builtin/serial", "--set", "training.epochs=4", "--set", "race.top=2"),
    *("--set", "probe.seconds=1"),
)


def document(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "build.json").read_text())
    return found


def decisions(found: dict[str, Any]) -> dict[str, Any]:
    return {one["what"]: one["value"] for one in found["decisions"]}


@pytest.fixture
def built(tmp_path: Path, points: Path) -> Path:
    out = tmp_path / "model"
    done = denas_here("build", str(points), *SHORT, "-c", "params<=400", "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert "params<=400: kept" in done.stdout
    return out


@pytest.mark.slow
def test_a_build_that_has_learnt_nothing_says_so(
    tmp_path: Path, points: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DENAS_POINTS_CHANCE", "1")
    out = tmp_path / "model"
    still = ("--set", "training.lr=1e-9", "--set", "training.epochs=1", "--set", "race.top=1")
    done = denas_here("build", str(points), *SHORT, *still, "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert "learnt" in done.stderr and "one and the same answer for every input has 0.525" in done.stderr
    assert "larger --time and another --out, or with more data" in done.stderr
    assert "one and the same answer" in document(out)["result"]["nothing_learnt"]


@pytest.mark.slow
def test_a_build_leaves_a_model_that_works_and_says_why_it_is_this_one(built: Path, points: Path) -> None:
    assert {"model.safetensors", "card.json", "report.html", "build.json"} <= {
        file.name for file in built.iterdir()
    }
    found = document(built)
    assert found["state"] == "finished"
    assert list(found["steps"]) == [
        *("search", "race", "training", "evaluation", "export safetensors", "measure safetensors"),
    ]
    chosen = decisions(found)
    assert (chosen["task"], chosen["space"], chosen["options"]) == ("points/side", "points/deep", "classes=2")
    assert all(one["reason"] for one in found["decisions"])
    assert found["seconds"] <= 264
    # The better one of the two trainings of the winner is kept, and it is what the folder has.
    value = found["steps"]["training"]["value"]
    assert value >= found["steps"]["race"]["value"]
    assert found["result"]["metrics"]["accuracy"] == pytest.approx(value)
    assert found["result"]["network"] == found["steps"]["race"]["winner"]
    card = json.loads((built / "card.json").read_text())
    assert card["key"] == found["result"]["network"]
    # The same command is done at once, and each step can be looked at by its own command.
    again = denas_here("build", str(points), *SHORT, "-c", "params<=400", "--out", str(built))
    assert again.returncode == 0 and document(built) == found
    model = str(built / found["steps"]["training"]["model"])
    evaluated = denas_here("evaluate", model, "--data", str(points), "--device", "cpu", "--json")
    assert json.loads(evaluated.stdout)["metrics"] == pytest.approx(found["result"]["metrics"])
    assert denas_here("report", str(built / "search")).returncode == 0


def test_a_folder_with_another_build_is_refused_in_one_line(tmp_path: Path, points: Path) -> None:
    out = tmp_path / "model"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    other = denas_here("build", str(points), *SHORT, "--out", str(out))
    assert (other.returncode, other.stderr) == (
        2,
        f"error: {str(out)!r} exists and is not a build; name another folder with --out\n",
    )
    (out / "notes.txt").unlink()
    request = {"data": str(points), "seconds": 9.0}
    (out / "build.json").write_text(
        json.dumps({"schema": "denas.build/1", "request": request, "state": "running", "steps": {}})
    )
    another = denas_here("build", str(points), *SHORT, "--out", str(out), "-q")
    assert another.returncode == 2
    assert "holds another build (" in another.stderr and "seconds: 9.0 -> 240.0" in another.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--to", "onix"], 2, "no installed plugin has an exporter 'onix'"),
        (["--to", "safetensors", "--time", "40"], 2, "time '40' is not a time, such as 90s, 10min or 1h"),
        (["--to", "safetensors", "--time", "1s"], 2, "1 s is too short for "),
        (["--to", "safetensors", "-c", "params<=2"], 7, "params"),
        (["--to", "safetensors", "--set", "race.topp=2"], 2, "--set race.topp: a race of a build has"),
        (["--to", "safetensors", "--set", "out=x"], 2, "--set 'out=x': a build chooses out itself"),
        (["--to", "safetensors", "--set", "trainin.lr=1"], 2, "there is no part 'trainin'; did you mean"),
        (["--to", "safetensors", "--task", "cola"], 2, "cola"),
        (
            ["--to", "safetensors", "--space", "points/wide"],
            2,
            "no installed plugin has a space 'points/wide'",
        ),
    ],
)
def test_what_cannot_be_built_is_refused_in_one_line_before_work_begins(
    tmp_path: Path, points: Path, arguments: list[str], code: int, message: str
) -> None:
    out = tmp_path / "model"
    options = ("--score", "points/size", "--device", "cpu", "--out", str(out), "-q")
    done = denas_here("build", str(points), *options, *arguments)
    assert (done.returncode, done.stderr.count("\n")) == (code, 1), done.stderr
    assert message in done.stderr
    assert not out.exists()


def test_data_that_nobody_recognises_are_refused(tmp_path: Path) -> None:
    (tmp_path / "rows.bin").write_bytes(b"\0\1\2")
    done = denas_here("build", str(tmp_path / "rows.bin"), "--out", str(tmp_path / "model"))
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(
        f"error: no installed task recognises {str(tmp_path / 'rows.bin')!r}"
    )


def test_a_plan_prints_decisions_and_times_and_writes_nothing(tmp_path: Path, points: Path) -> None:
    out = tmp_path / "model"
    done = denas_here("build", str(points), *SHORT, "--out", str(out), "--plan")
    assert done.returncode == 0, done.stderr
    for text in ("points/side", "points/deep", "points with a side", "search without training"):
        assert text in done.stdout
    assert not out.exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    "number", [pytest.param(signal.SIGINT, marks=pytest.mark.nightly), signal.SIGKILL], ids=["ctrl-c", "kill"]
)
def test_a_build_that_was_stopped_goes_on_with_the_same_command(
    tmp_path: Path, points: Path, number: signal.Signals
) -> None:
    out = tmp_path / "model"
    arguments = ["build", str(points), *SHORT, "--out", str(out)]
    process = start_command(*arguments, DENAS_POINTS_PAUSE="0.05")
    until = time.monotonic() + 300
    while time.monotonic() < until and not list(out.glob("search/race/*-epochs/*/log.jsonl")):
        time.sleep(0.05)
    process.send_signal(number)
    process.wait()
    found = document(out)
    assert found["state"] == "running" and list(found["steps"]) == ["search"]
    done = denas_here(*arguments)
    assert done.returncode == 0, done.stderr
    assert document(out)["steps"]["search"] == found["steps"]["search"]
    assert document(out)["state"] == "finished"


def test_the_same_from_python(tmp_path: Path, points: Path) -> None:
    planned = denas_core.build(
        points, time="60s", score="points/size", to="safetensors", device="cpu", plan=True
    )
    assert decisions(dict(planned.document))["space"] == "points/deep"
    with pytest.raises(ConfigError, match="'soon'"):
        denas_core.build(points, time="soon")
    assert not (Path.cwd() / f"{points.name}-model").exists()


@pytest.mark.slow
def test_the_script_of_a_build_needs_the_runtime_alone(tmp_path: Path) -> None:
    pytest.importorskip("denas_onnx")
    pytest.importorskip("denas_cv")
    from denas_core import Registry

    registry = Registry.discover()
    task, space = (
        registry.create("task", "cv/image-classification"),
        registry.create("space", "cv/cnn:micro", {"image_size": 16}),
    )
    data = task.example(tmp_path / "photos", space)
    options = ("--space", "cv/cnn:micro", "--set", "space.image_size=16", "--set", "training.epochs=1")
    options += ("--time", "15min", "--to", "onnx", "--device", "cpu", "--out", str(tmp_path / "model"))
    options += (
        "--score",
        "scores/params",
        "--set",
        "budget=3",
        "--set",
        "executor=builtin/serial",
        "--set",
        "race.top=2",
        "--set",
        "race.also=largest",
    )
    done = denas_here("build", str(data), *options, "-c", "latency_ms<=1000")
    assert done.returncode == 0, done.stderr
    found = document(tmp_path / "model")
    measured = found["steps"]["measure onnx"]
    assert (measured["probe"], measured["what"]) == ("onnx/runtime", "the exported file")
    assert measured["bounds"][0]["verdict"] in ("holds", "undecided")
    pictures = sorted((data / "val").rglob("*.png"))
    closed = (
        "import sys; sys.modules |= dict.fromkeys(('torch', 'denas_core', 'transformers')); import runpy; "
    )
    closed += f"runpy.run_path({str(tmp_path / 'model' / 'predict.py')!r}, run_name='__main__')"
    alone = subprocess.run(
        [sys.executable, "-c", closed, *map(str, pictures)],
        capture_output=True,
        text=True,
        env={**os.environ, "ORT_DISABLE_TELEMETRY": "1"},
        check=False,
    )
    assert alone.returncode == 0, alone.stderr
    ours = [line.split("\t") for line in alone.stdout.splitlines()]
    theirs = [
        line.split("\t")
        for line in denas_here("predict", str(tmp_path / "model"), *map(str, pictures)).stdout.splitlines()
    ]
    assert len(ours) == len(pictures)
    for one, other in zip(ours, theirs, strict=True):
        assert one[:2] == other[:2] and float(one[2]) == pytest.approx(float(other[2]), abs=0.01)
