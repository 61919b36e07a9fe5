from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from denas_core.registry.loading import installed_points
from tests.core.toy_searches import denas, denas_command, denas_here, environment, toy_search

TOY_SEARCH = ["search", "toy/stairs", "--score", "toy/both", "--device", "cpu", "--budget", "30"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cli") / "run"
    toy_search(path, budget=60)
    return path


def test_search_prints_the_promised_json_and_nothing_else_on_standard_output(tmp_path: Path) -> None:
    done = denas(*TOY_SEARCH, "--seed", "7", "-c", "params<=300", "-o", "r", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["schema"] == "denas.search/1"
    assert document["run"] == "r"
    assert document["space"] == "toy/stairs"
    assert document["seed"] == 7
    assert document["trials"] == {"scored": 30, "infeasible": 0, "failed": 0}
    best = document["best"]
    assert set(best) >= {"key", "arch", "score", "components", "metrics"}
    assert set(best["components"]) == {"height", "slope"}
    assert best["metrics"]["params"] <= 300
    assert best["key"] in {row["key"] for row in document["front"]}
    assert json.loads((tmp_path / "r" / "result.json").read_text()) == document
    assert done.stderr.startswith("run: r\n")


def test_without_out_runs_are_numbered(tmp_path: Path) -> None:
    for number in (1, 2):
        done = denas_here(*TOY_SEARCH, "--json", cwd=tmp_path)
        assert json.loads(done.stdout)["run"] == f"runs/toy-stairs-{number}"


def test_an_architecture_file_is_what_arch_reads_back(tmp_path: Path, run: Path) -> None:
    best = json.loads((run / "best.json").read_text())
    (tmp_path / "a.yaml").write_text("".join(f"{name}: {value}\n" for name, value in best.items()))
    by_file = {}
    for file in (run / "best.json", tmp_path / "a.yaml"):
        done = denas_here(
            "score",
            "toy/stairs",
            "--arch",
            str(file),
            "--set",
            "score.name=toy/both",
            "--no-latency",
            "--json",
        )
        assert done.returncode == 0, done.stderr
        by_file[file] = json.loads(done.stdout)
    first, second = by_file.values()
    assert first["arch"] == second["arch"] == best
    assert first["components"] == second["components"]
    assert first["components"] == json.loads((run / "result.json").read_text())["best"]["components"]
    assert set(first["seconds"]) == {"cost", "height", "slope"}


def test_trials_lists_every_trial(run: Path) -> None:
    document = json.loads(denas_here("trials", str(run), "--json").stdout)
    assert len(document["trials"]) == 60
    assert set(document["trials"][0]) >= {
        "index",
        "key",
        "arch",
        "state",
        "reason",
        "components",
        "metrics",
        "seconds",
    }
    assert "height" in denas_here("trials", str(run)).stdout
    assert json.loads(denas_here("trials", str(run), "--state", "failed", "--json").stdout)["trials"] == []


def test_rank_orders_anew_without_scoring(run: Path) -> None:
    before = (run / "study.db").read_bytes()
    document = json.loads(
        denas_here("rank", str(run), "--weights", "slope=0", "--top", "60", "--json").stdout
    )
    heights = [row["components"]["height"] for row in document["ranked"]]
    assert heights == sorted(heights, reverse=True)
    assert document["weights"] == {"height": 1.0}
    assert (run / "study.db").read_bytes() == before


def test_rank_computes_what_is_missing_only_when_asked(tmp_path: Path) -> None:
    toy_search(tmp_path / "r", budget=20, score={"name": "toy/both", "weights": {"slope": 0}})
    refused = denas_here("rank", str(tmp_path / "r"), "--weights", "slope=1")
    assert refused.returncode == 2
    assert "component 'slope' was not computed in this run (it has height)" in refused.stderr
    assert denas_here("rank", str(tmp_path / "r"), "--weights", "slope=1", "--compute").returncode == 0
    again = json.loads(
        denas_here("rank", str(tmp_path / "r"), "--weights", "slope=1,height=0", "--json").stdout
    )
    slopes = [row["components"]["slope"] for row in again["ranked"]]
    assert slopes == sorted(slopes)


def test_plugins_lists_distribution_version_status_and_declarations() -> None:
    rows = {row["name"]: row for row in json.loads(denas_here("plugins", "--json").stdout)["plugins"]}
    assert rows["toy"]["distribution"] == "denas-toy"
    assert rows["toy"]["status"] == "ok"
    assert rows["builtin"]["components"]["strategy"] == [
        "evolution",
        "local-search",
        "nsga2",
        "random",
        "regularized-evolution",
        "successive-halving",
    ]
    assert "stairs" in denas_here("plugins").stdout


def test_show_prints_knobs_options_size_and_documentation() -> None:
    document = json.loads(denas_here("show", "toy/stairs", "--set", "space.highest=2", "--json").stdout)
    assert document["size"] == 124
    assert document["knobs"][1] == {
        "name": "step0",
        "values": [1, 2],
        "layer": 0,
        "when": {"depth": [2, 3, 4, 5, 6]},
    }
    assert document["options"][0]["name"] == "width"
    assert document["documentation"] == "Steps of different heights."
    assert "size: about 10^2 (7 knobs)" in denas_here("show", "toy/stairs", "--set", "space.highest=2").stdout
    assert "Each generation" in denas_here("show", "evolution").stdout


def test_latency_prints_the_interval(run: Path) -> None:
    arguments = ["latency", "toy/stairs", "--arch", str(run / "best.json"), "--set", "probe.name=toy/ruler"]
    document = json.loads(denas_here(*arguments, "--set", "score.name=toy/both", "--json").stdout)
    assert document["low"] < document["median"] < document["high"]
    assert document["verdict"] == "stable"


def test_latency_says_why_it_is_unstable(run: Path) -> None:
    arguments = ["latency", "toy/stairs", "--arch", str(run / "best.json"), "--set", "probe.name=toy/ruler"]
    printed = denas_here(*arguments, "--set", "score.name=toy/both", "--set", "probe.width=0.9").stdout
    assert printed.endswith("unstable: its interval has a width of 0.9\n")


def test_config_commands_agree(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("space: {name: toy/stairs, width: 2}\nscore: toy/both\nbudget: 5\ndevice: cpu\n")
    assert denas_here("config", "validate", str(file)).stdout == f"{file}: valid\n"
    resolved = json.loads(denas_here("config", "show", str(file), "--resolved", "--json").stdout)
    assert resolved["space"] == {"name": "toy/stairs", "width": 2, "highest": 9}
    assert resolved["strategy"]["first"] == 50
    done = denas_here(
        "search",
        "--config",
        str(file),
        "--set",
        "space.highest=4",
        "--budget",
        "6",
        "--json",
        "-o",
        str(tmp_path / "r"),
    )
    assert json.loads(done.stdout)["trials"]["scored"] == 6
    schema = json.loads(denas_here("config", "schema").stdout)
    assert set(schema["properties"]) >= {"space", "score", "budget", "constraints"}


def test_config_init_writes_what_validate_accepts(tmp_path: Path) -> None:
    pytest.importorskip("denas_cv")
    assert denas_here("config", "init", "-o", "run.yaml", cwd=tmp_path).returncode == 0
    assert denas_here("config", "validate", "run.yaml", cwd=tmp_path).returncode == 0
    assert denas_here("config", "init", "-o", "run.yaml", cwd=tmp_path).returncode == 2


def test_doctor_names_the_mend_of_a_broken_plugin(tmp_path: Path) -> None:
    broken = tmp_path / "denas_broken-1.0.dist-info"
    broken.mkdir()
    (broken / "METADATA").write_text("Metadata-Version: 2.1\nName: denas-broken\nVersion: 1.0\n")
    (broken / "entry_points.txt").write_text("[denas]\nbroken = broken_plugin\n")
    (tmp_path / "broken_plugin.py").write_text("import surely_not_installed\n")
    path = f"{environment()['PYTHONPATH']}:{tmp_path}"
    # Those of this repository, whose imports take seconds, have tests of their own.
    others = {point.name for point in installed_points()[0]} - {"builtin", "toy"}
    only = {"PYTHONPATH": path, "DENAS_DISABLE_PLUGINS": ",".join(others)}
    document = json.loads(denas("doctor", "--json", **only).stdout)
    (row,) = [row for row in document["plugins"] if row["name"] == "broken"]
    assert "pip install surely_not_installed" in row["fix"]
    # The first call on this machine measures its reference latency, and later ones compare with it.
    assert " ms now, " in document["machine"]["reference"]
    assert denas(*TOY_SEARCH, "-o", str(tmp_path / "r"), PYTHONPATH=path).returncode == 0
    failed = denas("search", "broken/space", PYTHONPATH=path)
    assert failed.returncode == 3
    assert "plugin 'broken' (denas-broken 1.0) is broken" in failed.stderr


def test_help_and_plugins_import_neither_torch_nor_the_options_they_do_not_need() -> None:
    script = (
        "import sys\nfrom denas_core.cli import main\n"
        "try:\n    main({arguments!r})\nexcept SystemExit:\n    pass\n"
        "dear = ('torch', 'numpy', 'transformers', 'denas_core.registry.options')\n"
        "sys.stderr.write(','.join(module for module in dear if module in sys.modules))"
    )
    for arguments in (["--help"], ["plugins"], ["search", "--help"]):
        done = subprocess.run(
            [sys.executable, "-c", script.format(arguments=arguments)],
            capture_output=True, text=True, env=environment(), check=True, timeout=300,
        )  # fmt: skip
        assert done.stderr == ""
        assert len(done.stdout) > 100


def test_a_reader_that_stops_early_is_no_error(run: Path) -> None:
    command = " ".join(f"'{part}'" for part in denas_command("trials", str(run), "--json"))
    done = subprocess.run(
        ["bash", "-c", f"{command} | head -1; exit ${{PIPESTATUS[0]}}"],
        capture_output=True, text=True, env=environment(), check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stderr == ""


def test_debug_adds_the_traceback() -> None:
    done = denas("--debug", "search", "nope")
    assert done.returncode == 2
    assert "Traceback" in done.stderr
    assert done.stderr.rstrip().splitlines()[-1].startswith("error: ")


def test_completion_offers_the_commands() -> None:
    done = denas("", _DENAS_COMPLETE="complete_bash", COMP_WORDS="denas se", COMP_CWORD="1")
    assert "search" in done.stdout


def test_an_empty_architecture_is_told_as_such() -> None:
    done = denas_here("score", "toy/stairs", "--arch", "", "--set", "score.name=toy/both")
    assert done.returncode == 2
    assert done.stderr.startswith("error: --arch is empty;")
