from __future__ import annotations

import json
import random
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from .runs import denas, denas_command, environment, toy_search

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
        done = denas(*TOY_SEARCH, "--json", cwd=tmp_path)
        assert json.loads(done.stdout)["run"] == f"runs/toy-stairs-{number}"


def test_an_architecture_file_is_what_arch_reads_back(tmp_path: Path, run: Path) -> None:
    best = json.loads((run / "best.json").read_text())
    (tmp_path / "a.yaml").write_text("".join(f"{name}: {value}\n" for name, value in best.items()))
    by_file = {}
    for file in (run / "best.json", tmp_path / "a.yaml"):
        done = denas(
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
    document = json.loads(denas("trials", str(run), "--json").stdout)
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
    assert "height" in denas("trials", str(run)).stdout
    assert json.loads(denas("trials", str(run), "--state", "failed", "--json").stdout)["trials"] == []


def test_rank_orders_anew_without_scoring(run: Path) -> None:
    before = (run / "study.db").read_bytes()
    document = json.loads(denas("rank", str(run), "--weights", "slope=0", "--top", "60", "--json").stdout)
    heights = [row["components"]["height"] for row in document["ranked"]]
    assert heights == sorted(heights, reverse=True)
    assert document["weights"] == {"height": 1.0}
    assert (run / "study.db").read_bytes() == before


def test_rank_computes_what_is_missing_only_when_asked(tmp_path: Path) -> None:
    toy_search(tmp_path / "r", budget=20, score={"name": "toy/both", "weights": {"slope": 0}})
    refused = denas("rank", str(tmp_path / "r"), "--weights", "slope=1")
    assert refused.returncode == 2
    assert "component 'slope' was not computed in this run (it has height)" in refused.stderr
    assert denas("rank", str(tmp_path / "r"), "--weights", "slope=1", "--compute").returncode == 0
    again = json.loads(denas("rank", str(tmp_path / "r"), "--weights", "slope=1,height=0", "--json").stdout)
    slopes = [row["components"]["slope"] for row in again["ranked"]]
    assert slopes == sorted(slopes)


def test_plugins_lists_distribution_version_status_and_declarations() -> None:
    rows = {row["name"]: row for row in json.loads(denas("plugins", "--json").stdout)["plugins"]}
    assert rows["toy"]["distribution"] == "denas-toy"
    assert rows["toy"]["status"] == "ok"
    assert rows["builtin"]["components"]["strategy"] == ["evolution", "random"]
    assert "stairs" in denas("plugins").stdout


def test_show_prints_knobs_options_size_and_documentation() -> None:
    document = json.loads(denas("show", "toy/stairs", "--set", "space.highest=2", "--json").stdout)
    assert document["size"] == 124
    assert document["knobs"][1] == {
        "name": "step0",
        "values": [1, 2],
        "layer": 0,
        "when": {"depth": [2, 3, 4, 5, 6]},
    }
    assert document["options"][0]["name"] == "width"
    assert document["documentation"] == "Steps of different heights."
    assert "size: about 10^2 (7 knobs)" in denas("show", "toy/stairs", "--set", "space.highest=2").stdout
    assert "Each generation" in denas("show", "evolution").stdout


def test_latency_prints_the_interval(run: Path) -> None:
    arguments = ["latency", "toy/stairs", "--arch", str(run / "best.json"), "--set", "probe.name=toy/ruler"]
    document = json.loads(denas(*arguments, "--set", "score.name=toy/both", "--json").stdout)
    assert document["low"] < document["median"] < document["high"]
    assert document["verdict"] == "stable"


def test_config_commands_agree(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("space: {name: toy/stairs, width: 2}\nscore: toy/both\nbudget: 5\ndevice: cpu\n")
    assert denas("config", "validate", str(file)).stdout == f"{file}: valid\n"
    resolved = json.loads(denas("config", "show", str(file), "--resolved", "--json").stdout)
    assert resolved["space"] == {"name": "toy/stairs", "width": 2, "highest": 9}
    assert resolved["strategy"]["population"] == 50
    done = denas(
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
    schema = json.loads(denas("config", "schema").stdout)
    assert set(schema["properties"]) >= {"space", "score", "budget", "constraints"}


def test_config_init_writes_what_validate_accepts(tmp_path: Path) -> None:
    pytest.importorskip("denas_cv")
    assert denas("config", "init", "-o", "run.yaml", cwd=tmp_path).returncode == 0
    assert denas("config", "validate", "run.yaml", cwd=tmp_path).returncode == 0
    assert denas("config", "init", "-o", "run.yaml", cwd=tmp_path).returncode == 2


def test_doctor_names_the_mend_of_a_broken_plugin(tmp_path: Path) -> None:
    broken = tmp_path / "denas_broken-1.0.dist-info"
    broken.mkdir()
    (broken / "METADATA").write_text("Metadata-Version: 2.1\nName: denas-broken\nVersion: 1.0\n")
    (broken / "entry_points.txt").write_text("[denas]\nbroken = broken_plugin\n")
    (tmp_path / "broken_plugin.py").write_text("import surely_not_installed\n")
    path = f"{environment()['PYTHONPATH']}:{tmp_path}"
    document = json.loads(denas("doctor", "--json", PYTHONPATH=path).stdout)
    (row,) = [row for row in document["plugins"] if row["name"] == "broken"]
    assert "pip install surely_not_installed" in row["mend"]
    assert document["machine"]["noise"] >= 0
    assert denas(*TOY_SEARCH, "-o", str(tmp_path / "r"), PYTHONPATH=path).returncode == 0
    failed = denas("search", "broken/space", PYTHONPATH=path)
    assert failed.returncode == 3
    assert "plugin 'broken' (denas-broken 1.0) is broken" in failed.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        ([], 2, "no search space is named"),
        (["nope/x"], 2, "needs the plugin 'nope', which is not installed"),
        (["nlp/bert"], 2, "install it with: pip install denas-nlp"),
        (["toy/stair"], 2, "did you mean 'toy/stairs'?"),
        (["toy/stairs:big"], 2, "has no preset 'big'"),
        (["toy/stairs", "--set", "space.heights=3"], 2, "'toy/stairs' has no option 'heights'"),
        (["toy/stairs", "--set", "space.highest=high"], 2, "option 'highest' of 'toy/stairs'"),
        (["toy/stairs", "--set", "budgett=3"], 2, "did you mean 'budget'?"),
        (["toy/stairs", "--set", "nonsense"], 2, "is not of the form key=value"),
        (["toy/stairs", "--budget", "nan"], 2, "budget 'nan' is neither"),
        (["toy/stairs", "--budget", "-5"], 2, "budget '-5'"),
        (["toy/stairs", "--budget", "0"], 2, "must be positive"),
        (["toy/stairs", "-c", "params<=nan"], 2, "constraint 'params<=nan'"),
        (["toy/stairs", "-c", "params<=-1"], 2, "constraint 'params<=-1'"),
        (["toy/stairs", "-c", "parms<=1M"], 2, "did you mean 'params'?"),
        (["toy/stairs", "-c", "params<=1"], 7, "the reachable range is 16 to 432"),
        (["toy/stairs", "--weights", "height=-1"], 2, "must be a finite number >= 0"),
        (["toy/stairs", "--weights", "height=0,slope=0"], 2, "every component of 'toy/both' has weight 0"),
        (["toy/stairs", "--weights", "height"], 2, "not of the form name=number"),
        (["toy/stairs", "--device", "tpu"], 2, "key 'device' of the configuration"),
        (["toy/stairs", "--seed", "-1"], 2, "key 'seed' of the configuration"),
        (["toy/stairs", "--seed", "x"], 2, "Invalid value for '--seed'"),
        (["toy/stairs", "--set", "strategy={name: evolution, population: 0, mutations: 0, crossovers: 0}"], 2,
         "nothing to propose"),
        (["toy/stairs", "--out", "."], 2, "exists and is not empty; go on with 'denas search --resume .'"),
        (["--resume", "nowhere"], 2, "'nowhere' is not a run directory"),
        (["--config", "missing.yaml"], 2, "cannot read 'missing.yaml'"),
        (["--config", "/"], 2, "cannot read '/'"),
        (["toy/stairs", "--out", "/proc/denas/run"], 6, "cannot use '/proc/denas/run'"),
        (["toy/stairs", "--out", "file"], 2, "out 'file' is a file"),
        (["toy/stairs", "--bogus"], 2, "No such option"),
    ],
)  # fmt: skip
def test_bad_input_gets_one_clear_line_and_its_exit_code(
    tmp_path: Path, arguments: list[str], code: int, text: str
) -> None:
    (tmp_path / "file").write_text("x")
    options = ["--set", "score.name=toy/both"] if any("toy/stairs" in a for a in arguments) else []
    done = denas("search", *arguments, *options, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert text in done.stderr
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_a_resume_refuses_what_would_change_the_answer(run: Path) -> None:
    for option in (
        ["--seed", "4"],
        ["--set", "space.width=9"],
        ["-c", "params<=100"],
        ["--weights", "slope=0"],
    ):
        done = denas("search", "--resume", str(run), *option)
        assert done.returncode == 2
        assert "only budget and executor may change" in done.stderr


def test_a_directory_with_a_configuration_of_one_s_own_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("# mine\nspace: toy/stairs\nscore: toy/both\n")
    done = denas("search", "--config", "config.yaml", "--out", ".", "-b", "5", cwd=tmp_path)
    assert done.returncode == 2
    assert "exists and is not empty" in done.stderr
    assert (tmp_path / "config.yaml").read_text().startswith("# mine")


def test_components_are_not_computed_with_other_software(tmp_path: Path) -> None:
    toy_search(tmp_path / "r", budget=5, score={"name": "toy/both", "weights": {"slope": 0}})
    with sqlite3.connect(tmp_path / "r" / "study.db") as connection:
        connection.execute('UPDATE meta SET value = replace(value, \'"torch":"\', \'"torch":"9.9.\')')
    for command in (["rank", "--weights", "slope=1", "--compute"], ["search", "--budget", "9", "--resume"]):
        done = denas(*command, str(tmp_path / "r"))
        assert done.returncode == 2
        assert "was made with something else: torch: '9.9." in done.stderr


def test_a_damaged_store_ends_with_5_and_stays_as_it_is(tmp_path: Path) -> None:
    toy_search(tmp_path / "r", budget=60)
    store = tmp_path / "r" / "study.db"
    raw = bytearray(store.read_bytes())
    for offset in range(8192, len(raw), 512):
        raw[offset] ^= 0xFF
    store.write_bytes(raw)
    for arguments in (
        ["search", "--resume", str(tmp_path / "r"), "--budget", "70"],
        ["trials", str(tmp_path / "r")],
    ):
        done = denas(*arguments)
        assert done.returncode == 5, done.stderr
        assert done.stderr.startswith("error: store ")
        assert done.stderr.count("\n") == 1
    assert store.read_bytes() == bytes(raw)


def test_a_config_error_names_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text("space: toy/stairs\nbudget: 5\n\nseed: x\n")
    done = denas("search", "--config", "run.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert "key 'seed' of the configuration" in done.stderr
    assert "(run.yaml:4)" in done.stderr


def test_help_and_plugins_import_neither_torch_nor_the_options_they_do_not_need() -> None:
    script = (
        "import sys\nfrom denas_core.cli import main\n"
        "try:\n    main({arguments!r})\nexcept SystemExit:\n    pass\n"
        "dear = ('torch', 'numpy', 'transformers', 'denas_core.options')\n"
        "sys.stderr.write(','.join(module for module in dear if module in sys.modules))"
    )
    for arguments in (["--help"], ["plugins"], ["search", "--help"]):
        done = subprocess.run(
            [sys.executable, "-c", script.format(arguments=arguments)],
            capture_output=True, text=True, env=environment(), check=True, timeout=30,
        )  # fmt: skip
        assert done.stderr == ""
        assert len(done.stdout) > 100


def test_a_reader_that_stops_early_is_no_error(run: Path) -> None:
    command = " ".join(f"'{part}'" for part in denas_command("trials", str(run), "--json"))
    done = subprocess.run(
        ["bash", "-c", f"{command} | head -1; exit ${{PIPESTATUS[0]}}"],
        capture_output=True, text=True, env=environment(), check=False, timeout=30,
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stderr == ""


def test_debug_adds_the_traceback() -> None:
    done = denas("--debug", "search", "nope")
    assert done.returncode == 2
    assert "Traceback" in done.stderr
    assert done.stderr.rstrip().splitlines()[-1].startswith("error: ")


def test_thirty_configurations_end_well_or_with_one_line(tmp_path: Path) -> None:
    """Half of them changed at random; whatever comes, no traceback and no other exit code."""
    rng = random.Random(1)
    values = [
        "5",
        "0",
        "-1",
        "x",
        "[]",
        "{}",
        "null",
        "1e400",
        ".nan",
        "[params<=200]",
        "toy/stairs",
        "true",
        "'5s'",
        "&a b",
    ]
    keys = [
        "space",
        "score",
        "budget",
        "seed",
        "constraints",
        "strategy",
        "device",
        "threads",
        "objectives",
        "other",
    ]
    codes = []
    for number in range(30):
        lines = {"space": "toy/stairs", "score": "toy/both", "budget": "5", "device": "cpu"}
        for _ in range(number % 3):
            lines[rng.choice(keys)] = rng.choice(values)
        (tmp_path / "run.yaml").write_text("".join(f"{key}: {value}\n" for key, value in lines.items()))
        done = denas("search", "--config", "run.yaml", "-q", "--json", "-o", f"r{number}", cwd=tmp_path)
        codes.append(done.returncode)
        assert done.returncode in (0, 2, 7), done.stderr
        if done.returncode == 0:
            assert json.loads(done.stdout)["trials"]["scored"] == 5 or "5s" in lines.values()
        else:
            assert done.stderr.startswith("error: ")
            assert done.stderr.count("\n") == 1
    assert 10 <= codes.count(0) < 30


def test_completion_offers_the_commands() -> None:
    done = denas("", _DENAS_COMPLETE="complete_bash", COMP_WORDS="denas se", COMP_CWORD="1")
    assert "search" in done.stdout
