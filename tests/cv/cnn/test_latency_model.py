"""``denas latency`` on a real space: a model is calibrated, written, read, and moved to another machine."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.core.toy_searches import denas_here

SPACE = "cv/cnn:micro"
QUICK = ("--set", "probe.min_rounds=6", "--set", "probe.max_rounds=6", "--set", "probe.warmup=0")


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Calibrate once, in a cache of its own, and yield what the command printed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DENAS_CACHE", str(tmp_path_factory.mktemp("cache")))
        done = denas_here("latency", "calibrate", SPACE, *QUICK, "--seconds", "1", "--json")
        assert done.returncode == 0, done.stderr
        assert "4 of 20 networks measured" in done.stderr
        yield json.loads(done.stdout)


@pytest.fixture
def exported(calibrated: dict[str, Any], tmp_path: Path) -> Path:
    done = denas_here("latency", "export", "model.json", "--space", SPACE, *QUICK, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "unseen networks" in done.stderr
    return tmp_path / "model.json"


def refusal(*arguments: str) -> str:
    done = denas_here("latency", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_a_calibration_says_its_error(calibrated: dict[str, Any]) -> None:
    assert calibrated["schema"] == "denas.latency-calibration/1"
    assert calibrated["probe"] == "builtin/wall-clock"
    assert calibrated["error"]["networks"] >= 4
    assert calibrated["error"]["median_percent"] >= 0
    assert calibrated["model"]["operators"]


def test_a_file_of_this_machine_is_read_again(exported: Path, calibrated: dict[str, Any]) -> None:
    assert json.loads(exported.read_text()) == calibrated["model"]
    done = denas_here("latency", "import", str(exported))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("cv/cnn: builtin/wall-clock, 1 thread, ")


def test_a_file_of_another_machine_needs_its_name(exported: Path) -> None:
    document = json.loads(exported.read_text())
    document["target"]["fingerprint"] = "elsewhere"
    exported.write_text(json.dumps(document))
    assert "this latency model is of another machine" in refusal("import", str(exported))
    assert denas_here("latency", "import", str(exported), "--machine", "phone").returncode == 0


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("{", "it is not JSON"),
        ("[]", "its format is unknown"),
        ('{"schema": "denas.latency-model/1"}', "it names no space"),
        ('{"schema": "denas.operator-calls/1"}', "has operator calls without times"),
    ],
)
def test_a_file_that_holds_no_model_is_refused(content: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "some.json").write_text(content)
    assert text in refusal("import", str(tmp_path / "some.json"))


def test_a_model_of_other_networks_is_refused(exported: Path) -> None:
    document = json.loads(exported.read_text())
    document["space"]["options"]["classes"] = 77
    exported.write_text(json.dumps(document))
    assert "and not of this space with options" in refusal("import", str(exported))


def test_what_was_not_calibrated_cannot_be_written(calibrated: dict[str, Any], tmp_path: Path) -> None:
    text = refusal("export", str(tmp_path / "model.json"), "--space", SPACE, "--set", "space.classes=3")
    assert "there is no latency model of 'cv/cnn'" in text
    assert "denas latency calibrate cv/cnn" in text


def test_another_machine_times_the_operators_with_torch_alone(
    calibrated: dict[str, Any], tmp_path: Path
) -> None:
    done = denas_here("latency", "script", "device.py", "--space", SPACE, *QUICK, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    calls = json.loads((tmp_path / "device.json").read_text())
    calls["calls"] = calls["calls"][:5]
    (tmp_path / "device.json").write_text(json.dumps(calls))
    # In an isolated folder without the path of the tests, the script can import what it needs or nothing.
    program = "import sys; sys.modules['denas_core'] = None; sys.argv = sys.argv[1:]; exec(open(sys.argv[0]).read())"
    subprocess.run(
        [sys.executable, "-c", program, "device.py", "device.json", "times.json"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        timeout=300,
    )
    times = str(tmp_path / "times.json")
    assert "name it with --machine NAME" in refusal("import", times)
    done = denas_here("latency", "import", times, "--machine", "board")
    assert done.returncode == 0, done.stderr
    assert "the error of the model there is unknown" in done.stderr


def test_a_script_has_the_name_of_a_script(tmp_path: Path) -> None:
    assert "give a name that ends in .py" in refusal("script", str(tmp_path / "device"), "--space", SPACE)


@pytest.mark.parametrize("seconds", ["nan", "inf"])
def test_a_time_limit_is_a_number_of_seconds(seconds: str) -> None:
    assert f"--seconds {seconds} is not a number of seconds" in refusal(
        "calibrate", SPACE, "--seconds", seconds
    )


def test_arguments_without_a_command_measure_one_network() -> None:
    named = refusal("network", "nowhere/space", "--arch", "{}")
    assert refusal("nowhere/space", "--arch", "{}") == named
    assert refusal("--arch", "{}", "nowhere/space") == named
