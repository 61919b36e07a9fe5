"""``denas check`` as a user types it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.core.toy_searches import denas

BROKEN = """
import dataclasses, sys, time
from denas_core import ProxyScore, hookimpl, option

@dataclasses.dataclass(kw_only=True)
class Sleepy(ProxyScore):
    \"\"\"Never comes back from its second measurement.\"\"\"
    seconds: float = option(0.0, "Seconds a measurement takes", at_least=0)

    def measure(self, candidate):
        print("measuring \\x1b[31m")
        time.sleep(self.seconds)
        return float(candidate.cost()["params"])

@hookimpl
def denas_scores():
    return {"sleepy": Sleepy}
"""


@pytest.fixture
def sleepy(tmp_path: Path) -> str:
    """Install a plugin with a score that prints, and may sleep; return what goes on the import path."""
    (tmp_path / "denas_sleepy.py").write_text(BROKEN)
    folder = tmp_path / "denas_sleepy-0.1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: denas-sleepy\nVersion: 0.1.0\nRequires-Dist: denas-core\n"
    )
    (folder / "entry_points.txt").write_text("[denas]\nsleepy = denas_sleepy\n")
    return str(tmp_path)


def test_a_sound_component_is_ticked_off() -> None:
    done = denas("check", "builtin/serial")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "builtin/serial (executor)"
    assert "  ✓ Without work there are no results, and run() ends" in lines
    assert lines[-1] == "14 passed, 0 failed, 0 skipped"


def test_a_check_that_does_not_apply_says_why() -> None:
    lines = denas("check", "toy/height", "--space", "toy/stairs").stdout.splitlines()
    skipped = lines.index("  - What it draws depends on the seed that it is given")
    assert lines[skipped + 1].strip() == "it draws nothing"


def test_where_the_stream_is_ascii_the_marks_are_words() -> None:
    done = denas("check", "builtin/serial", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert "  ok   Without work there are no results, and run() ends" in done.stdout.splitlines()
    assert done.stdout.isascii()


def test_what_fails_is_explained_and_the_exit_code_is_3(sleepy: str) -> None:
    done = denas("check", "sleepy/sleepy", PYTHONPATH=sleepy)
    assert done.returncode == 3
    lines = done.stdout.splitlines()
    # What it prints is in the reason, and nowhere else.
    (failed,) = (index for index, line in enumerate(lines) if line.startswith("  ✗"))
    assert lines[failed] == "  ✗ It prints nothing to standard output, which belongs to the command that runs"
    assert "measure() prints 'measuring" in lines[failed + 1]
    assert "\x1b" not in done.stdout
    assert done.stdout.count("measuring") == 1


UNBUILT = """
import dataclasses
from denas_core import Knob, SearchSpace, continuous_batch, hookimpl

@dataclasses.dataclass(kw_only=True)
class Unbuilt(SearchSpace):
    \"\"\"Uses a knob that it does not have.\"\"\"

    def knobs(self):
        return (Knob("width", (1, 2)),)

    def build(self, arch, *, head=None, variant="full"):
        return arch["depth"]

    def batch(self, size, *, seed, kind="noise"):
        return continuous_batch((3,), size, seed=seed, kind=kind)

@hookimpl
def denas_spaces():
    return {"unbuilt": Unbuilt}
"""


def test_a_fault_is_placed_and_explained_once(tmp_path: Path, sleepy: str) -> None:
    (tmp_path / "denas_sleepy.py").write_text(UNBUILT)
    done = denas("check", "sleepy", PYTHONPATH=sleepy)
    assert done.returncode == 3
    fault = f"     it raises KeyError: 'depth' ({tmp_path.name}/denas_sleepy.py:13, in build)"
    lines = done.stdout.splitlines()
    assert lines.count(fault) == 1
    assert lines[lines.index(fault) - 1].startswith("  ✗ cost() has params")
    assert (
        "  ✗ No network costs less than smallest() or more than full() in a metric of bounded_metrics() (as above)"
        in lines
    )


def test_a_measurement_that_raises_is_explained_once_for_the_checks_that_it_fails(
    tmp_path: Path, sleepy: str
) -> None:
    (tmp_path / "denas_sleepy.py").write_text(BROKEN.replace("time.sleep", "time.slept"))
    done = denas("check", "sleepy/sleepy", PYTHONPATH=sleepy)
    assert done.returncode == 3
    lines = done.stdout.splitlines()
    # Once with what to do, for the check that looks for it; once for all others that it fails.
    assert sum("time' has no attribute 'slept'" in line for line in lines) == 2
    assert "  ✗ measure() asks for the passes that passes() names, and for no others (as above)" in lines


def test_what_cannot_be_made_fails_one_check_and_is_put_to_no_other(tmp_path: Path, sleepy: str) -> None:
    (tmp_path / "denas_sleepy.py").write_text(BROKEN.replace("@dataclasses.dataclass(kw_only=True)\n", ""))
    done = denas("check", "sleepy", PYTHONPATH=sleepy)
    assert done.returncode == 3
    assert "put @dataclasses.dataclass(kw_only=True) above the class" in done.stdout
    assert done.stdout.splitlines()[-1] == "5 passed, 1 failed, 0 skipped"


def test_a_component_that_hangs_ends_in_time(sleepy: str) -> None:
    done = denas(
        *("check", "sleepy/sleepy", "--set", "seconds=600", "--timeout", "5"), PYTHONPATH=sleepy, timeout=300
    )
    assert done.returncode == 3
    assert "it did not end within 5 s; look for an endless loop" in done.stdout
    # An earlier check takes as long where the machine is busy.
    assert re.search(r"not run, since \w+ did not end", done.stdout)


def test_json_holds_every_outcome() -> None:
    done = denas("check", "toy/shuffled", "--json", "--skip", "it_repeats")
    document = json.loads(done.stdout)
    assert (document["schema"], document["target"], document["failed"]) == (
        "denas.check/1",
        "toy/shuffled",
        0,
    )
    (subject,) = document["subjects"]
    assert (subject["id"], subject["kind"]) == ("toy/shuffled", "executor")
    by_name = {row["check"]: row for row in subject["checks"]}
    assert by_name["it_repeats"]["status"] == "skipped"
    assert by_name["it_repeats"]["reason"] == "left out by --skip"
    assert set(by_name["it_prints_nothing"]) == {"check", "claim", "status", "reason", "seconds"}
    assert sum(document[status] for status in ("passed", "failed", "skipped")) == len(by_name)


def components_checked(*arguments: str) -> list[str]:
    """Return the headings of ``denas check`` of a plugin that passes."""
    done = denas("check", *arguments)
    assert done.returncode == 0, done.stdout
    return [line for line in done.stdout.splitlines() if not line.startswith(" ")][:-1]


def test_a_plugin_is_checked_with_all_its_components() -> None:
    assert components_checked("toy", "--space", "toy/stairs") == [
        "toy: denas-toy 0.1.0 (plugin)",
        "toy/lift (space)",
        "toy/stairs (space)",
        "toy/both (score)",
        "toy/height (score)",
        "toy/sampled (score)",
        "toy/slope (score)",
        "toy/tiered (score)",
        "toy/meter (probe)",
        "toy/ruler (probe)",
        "toy/shuffled (executor)",
    ]


@pytest.mark.nightly
def test_the_plugin_of_the_core_is_checked_with_all_its_components() -> None:
    assert components_checked("builtin") == [
        "builtin: denas-core 0.1.0 (plugin)",
        "builtin/evolution (strategy)",
        "builtin/local-search (strategy)",
        "builtin/nsga2 (strategy)",
        "builtin/random (strategy)",
        "builtin/regularized-evolution (strategy)",
        "builtin/successive-halving (strategy)",
        "builtin/compile (probe)",
        "builtin/cuda-events (probe)",
        "builtin/wall-clock (probe)",
        "builtin/process (executor)",
        "builtin/queue (executor)",
        "builtin/serial (executor)",
        "builtin/huggingface (exporter)",
        "builtin/safetensors (exporter)",
        "builtin/torch-export (exporter)",
    ]


def test_a_score_is_tried_on_the_space_that_is_named() -> None:
    done = denas("check", "toy/slope", "--space", "toy/stairs")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            ("cvv",),
            "error: there is no plugin and no component 'cvv'; did you mean 'cv'?; 'denas plugins' lists them",
        ),
        (("cv/rnn",), "error: no installed plugin has a component 'cv/rnn'"),
        (("sundial",), "error: there is no plugin and no component 'sundial'"),
        (("cv/cnn:cifer",), "error: space 'cv/cnn' has no preset 'cifer'; did you mean 'cifar'?"),
        (
            ("cv/cnn", "--set", "clases=3"),
            "error: 'cv/cnn' has no option 'clases' (--set); did you mean 'classes'?",
        ),
        (("cv", "--set", "classes=3"), "error: --set is for one component, such as cv/...; 'cv' is a plugin"),
        (
            ("builtin/serial", "--skip", "it_repeat"),
            "error: there is no check 'it_repeat' (--skip); did you mean 'it_repeats'?; --json names them",
        ),
    ],
)
def test_what_cannot_be_checked_is_refused(arguments: tuple[str, ...], text: str) -> None:
    done = denas("check", *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith(text), done.stderr
    assert done.stdout == ""


def test_a_plugin_that_does_not_load_fails_its_first_check(tmp_path: Path, sleepy: str) -> None:
    (tmp_path / "denas_sleepy.py").write_text("import no_such_module")
    done = denas("check", "sleepy", PYTHONPATH=sleepy)
    assert done.returncode == 3
    assert "✗ It loads" in done.stdout
    assert "ModuleNotFoundError: No module named 'no_such_module'" in done.stdout
    assert done.stdout.splitlines()[-1] == "2 passed, 1 failed, 3 skipped"
