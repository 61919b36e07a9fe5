"""``denas doctor`` imports what plugins declare in another process, which may hang or die there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from denas_core.cli import doctor_imports
from denas_core.cli.commands.doctor import examine, fix, reference_latency, show
from denas_core.cli.doctor_imports import examine_plugins
from denas_core.registry.loading import installed_points
from denas_core.timing import reference
from tests.faults.plugins.making import Distribution, installed, providing

HANGING = "import time\ntime.sleep(600)\n"
PATIENCE = 2.0
"""Seconds that the import that hangs may take; those of the others may take as long as a busy machine needs."""


@pytest.fixture(autouse=True)
def without_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Switch off the plugins of this repository, whose imports take seconds."""
    monkeypatch.setenv("DENAS_DISABLE_PLUGINS", ",".join(point.name for point in installed_points()[0]))


def test_imports_that_hang_or_die_are_told_and_hide_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    examine_one = doctor_imports._examine

    def patient(place: int, *, patience: float) -> dict[str, Any]:
        hangs = installed_points()[0][place].name == "sleeper"
        return examine_one(place, patience=patience if hangs else doctor_imports.PATIENCE)

    monkeypatch.setattr(doctor_imports, "_examine", patient)
    distributions = [
        Distribution(name="sleeper", files={"plugin": HANGING}),
        providing("dying", "import os\nos._exit(7)\n", scores="It"),
        providing(
            "fine",
            "from denas_core import ProxyScore\nclass It(ProxyScore):\n    measure = None\n",
            scores="It",
        ),
    ]
    with installed(tmp_path, distributions):
        rows = {row["name"]: row for row in examine_plugins(patience=PATIENCE)}
    sleeper, dying = rows["sleeper"], rows["dying"]
    assert (sleeper["distribution"], sleeper["status"]) == ("denas-zoo-sleeper", "broken")
    assert fix(sleeper) == (
        "its import does not end within 2 s; switch it off with DENAS_DISABLE_PLUGINS=sleeper, "
        "or pip uninstall denas-zoo-sleeper"
    )
    assert (dying["status"], dying["faults"]) == (
        "ok",
        {"score dying/it": "its import ends the process (exit code 7)"},
    )
    assert fix(dying) == (
        "score dying/it: its import ends the process (exit code 7); switch it off with "
        "DENAS_DISABLE_PLUGINS=dying, or pip uninstall denas-zoo-dying"
    )
    assert fix(rows["fine"]) == ""


SAYING = """
from denas_core import hookimpl

@hookimpl
def denas_doctor():
    {body}
"""


def test_what_plugins_say_of_the_machine_is_told_and_what_they_do_to_it_is_not_done(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bodies = {
        "talking": "return {'sound': f'by ear,\\nnot by {1 + 1} eyes', 7: 8}",
        "silent": "pass",
        "failing": "1 / 0",
        "rambling": "return ['much', 'to', 'say']",
        "ending": "import os; os._exit(3)",
    }
    distributions = [
        Distribution(name=name, files={"plugin": SAYING.format(body=body)}) for name, body in bodies.items()
    ]
    with installed(tmp_path, distributions):
        document = examine()
    rows = {row["name"]: row for row in document["plugins"]}
    assert rows["talking"]["notes"] == {"sound": "by ear, not by 2 eyes", "7": "8"}
    assert all(not rows[name]["notes"] for name in bodies if name != "talking")
    assert not rows["talking"]["faults"] and not rows["silent"]["faults"]
    who = {name: f"denas_doctor() of denas-zoo-{name} 6.6.6 failed:" for name in bodies}
    faults = {
        name: rows[name]["faults"][f"denas_doctor() of {name}"] for name in ("failing", "rambling", "ending")
    }
    assert faults["failing"] == f"{who['failing']} ZeroDivisionError: division by zero"
    assert faults["rambling"] == f"{who['rambling']} TypeError: it must return a mapping of texts, not list"
    assert faults["ending"] == "its import ends the process (exit code 3)"
    show(document)
    printed = capfd.readouterr().out
    assert "Notes of plugins" in printed and "by ear, not by 2 eyes" in printed


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"status": "ok"}, ""),
        ({"status": "disabled", "reason": "x"}, "remove its name from DENAS_DISABLE_PLUGINS"),
        (
            {"status": "conflict", "reason": "2 claim it"},
            "2 claim it; uninstall one of them, e.g. pip uninstall denas-x",
        ),
        ({"reason": "boom"}, "boom; upgrade it, or pip uninstall denas-x"),
        (
            {"reason": "No module named 'not_there.at_all'"},
            "No module named 'not_there.at_all'; pip install not_there, or reinstall denas-x",
        ),
        (
            {"reason": "No module named 'json.x'"},
            "No module named 'json.x'; reinstall denas-x, and upgrade json",
        ),
        (
            {"status": "ok", "faults": {"score x/a": "score 'x/a' is not a ProxyScore", "score x/b": "gone"}},
            "score x/a: score 'x/a' is not a ProxyScore (and 1 more of its components); "
            "upgrade it, or pip uninstall denas-x",
        ),
    ],
)
def test_the_mend_belongs_to_what_is_wrong(changes: dict[str, object], said: str) -> None:
    row = {"name": "x", "distribution": "denas-x", "status": "broken", "reason": "", "faults": {}, **changes}
    assert fix(row) == said


def test_the_reference_latency_of_the_machine_is_compared_with_the_known_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DENAS_CACHE", str(tmp_path))
    noise = "other work took 60% of the cores"
    found = iter(
        [
            reference.Calibration(1.5, noise, "2026-01-01 10:00:00 UTC"),
            reference.Calibration(1.0, "", "2026-01-02 10:00:00 UTC"),
            reference.Calibration(1.7, noise, "2026-01-03 10:00:00 UTC"),
            reference.Calibration(1.2, "", "2026-01-04 10:00:00 UTC"),
        ]
    )
    monkeypatch.setattr(reference, "calibrate", lambda call, *, threads: next(found))
    assert [reference_latency() for _ in range(4)] == [
        (f"1.5 ms now, not quiet: {noise}; the first measurement", noise),
        ("1 ms now, quiet; the first measurement on the quiet machine", ""),
        (f"1.7 ms now, not quiet: {noise}; 1 ms when quiet, measured 2026-01-02 10:00:00 UTC", noise),
        (
            "1.2 ms now, quiet; 1 ms when quiet, measured 2026-01-02 10:00:00 UTC; the machine has changed, and "
            "latencies measured before and after differ",
            "",
        ),
    ]
    known = reference.known_calibration(threads=1, device="cpu")
    assert known is not None
    assert known.ms == 1.2


def test_a_machine_that_is_not_quiet_is_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = "other work interrupted 30% of the calls"
    monkeypatch.setattr(
        reference, "calibrate", lambda call, *, threads: reference.Calibration(1.0, noise, "now")
    )
    assert (
        f"this machine is not quiet ({noise}): close other programs before you measure latency"
        in examine()["advice"]
    )
