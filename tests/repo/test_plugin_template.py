"""The plugin template is what ``denas new-plugin`` writes; installed, it runs and passes its checks at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from denas_core.scaffold import KINDS, render_plugin, write_plugin

from .installing import denas, install, run

TEMPLATE = Path(__file__).parents[2] / "examples/plugin_template"


def test_the_example_is_what_the_command_writes() -> None:
    expected = render_plugin("hello", KINDS)
    found = {
        path.relative_to(TEMPLATE).as_posix(): path.read_text(encoding="utf-8")
        for path in TEMPLATE.rglob("*")
        if path.is_file()
        and not any(part.startswith((".", "__pycache__")) for part in path.relative_to(TEMPLATE).parts)
    }
    assert found == expected, "run: denas new-plugin hello -k score -k space -k strategy -k probe"


@pytest.mark.slow
def test_the_installed_example_passes_its_checks_and_its_tests_and_runs(tmp_path: Path) -> None:
    site = tmp_path / "site"
    install(TEMPLATE, site, build=tmp_path)
    report = json.loads(denas("check", "hello", "--json", site=site, cwd=tmp_path))
    assert report["failed"] == 0
    assert report["passed"] > 4 * 5
    printed = run("-m", "pytest", "-q", "tests", site=site, cwd=tmp_path / TEMPLATE.name)
    assert "passed" in printed
    assert "failed" not in printed
    search = ["search", "hello/hello-space", "--score", "hello/hello-score"]
    search += [
        "--strategy",
        "hello/hello-strategy",
        "--set",
        "probe.name=hello/hello-probe",
        "--device",
        "cpu",
    ]
    search += ["--objective", "score", "--objective", "latency_ms", "--budget", "30", "--json", "-q"]
    result = json.loads(denas(*search, site=site, cwd=tmp_path))
    assert result["trials"]["scored"] == 30


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind",
    # The example above has been checked with all four.
    [pytest.param(kind, marks=() if kind == "score" else pytest.mark.nightly) for kind in KINDS],
)
def test_a_plugin_of_one_kind_passes_its_checks_at_once(kind: str, tmp_path: Path) -> None:
    new, site, build = (tmp_path / name for name in ("new", "site", "build"))
    write_plugin(render_plugin("zen", [kind]), new)
    build.mkdir()
    install(new, site, build=build)
    report = json.loads(denas("check", "zen", "--json", site=site, cwd=tmp_path))
    assert report["failed"] == 0
    assert report["passed"] > 5
