"""Bad input on the command line: one clear line, the right exit code, nothing lost."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from denas_core.cli import _run
from denas_core.runs.store import Store
from tests.core.toy_searches import denas_here, toy_search


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cli") / "run"
    toy_search(path, budget=60)
    return path


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        ([], 2, "no search space is named"),
        (["nope/x"], 2, "needs the plugin 'nope', which is not installed"),
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
         "proposes nothing"),
        (["toy/stairs", "--out", "."], 2, "name another, or go on with: denas search --resume ."),
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
    done = denas_here("search", *arguments, *options, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert text in done.stderr
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_a_sentence_of_the_parser_goes_on_without_its_full_stop(tmp_path: Path) -> None:
    done = denas_here("search", "toy/stairs", "--out", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: Option '--out' requires an argument; see 'denas --help'\n"


def test_a_resume_refuses_what_would_change_the_answer(run: Path) -> None:
    for option in (
        ["--seed", "4"],
        ["--set", "space.width=9"],
        ["-c", "params<=100"],
        ["--weights", "slope=0"],
    ):
        done = denas_here("search", "--resume", str(run), *option)
        assert done.returncode == 2
        assert "only budget and executor may change" in done.stderr


def test_a_directory_with_a_configuration_of_one_s_own_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("# mine\nspace: toy/stairs\nscore: toy/both\n")
    done = denas_here("search", "--config", "config.yaml", "--out", ".", "-b", "5", cwd=tmp_path)
    assert done.returncode == 2
    assert "exists and is not empty" in done.stderr
    assert (tmp_path / "config.yaml").read_text().startswith("# mine")


def test_components_are_not_computed_with_other_software(tmp_path: Path) -> None:
    toy_search(tmp_path / "r", budget=5, score={"name": "toy/both", "weights": {"slope": 0}})
    store = Store.open(tmp_path / "r" / "study.db")
    header = store.header()
    header["environment"]["torch"] = "9.9"
    store.set_header(header)
    store.close()
    for command in (["rank", "--weights", "slope=1", "--compute"], ["search", "--budget", "9", "--resume"]):
        done = denas_here(*command, str(tmp_path / "r"))
        assert done.returncode == 2
        assert "was made with something else: torch: '9.9'" in done.stderr


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
        done = denas_here(*arguments)
        assert done.returncode == 5, done.stderr
        assert done.stderr.startswith("error: store ")
        assert done.stderr.count("\n") == 1
    assert store.read_bytes() == bytes(raw)


def test_a_config_error_names_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text("space: toy/stairs\nbudget: 5\n\nseed: x\n")
    done = denas_here("search", "--config", "run.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert "key 'seed' of the configuration" in done.stderr
    assert "(run.yaml:4)" in done.stderr


def test_thirty_configurations_end_well_or_with_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Half of them changed at random; whatever comes, no traceback and no other exit code."""
    monkeypatch.chdir(tmp_path)
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
        # In this process: Python would start thirty times otherwise.
        code = _run(["search", "--config", "run.yaml", "-q", "--json", "-o", f"r{number}"], debug=False)
        codes.append(code)
        out, err = capsys.readouterr()
        assert code in (0, 2, 7), err
        if code == 0:
            assert json.loads(out)["trials"]["scored"] == 5 or "5s" in lines.values()
        else:
            assert err.startswith("error: ")
            assert err.count("\n") == 1
    assert 10 <= codes.count(0) < 30


def test_a_run_that_lost_its_store_is_damaged(tmp_path: Path) -> None:
    toy_search(tmp_path / "r", budget=5)
    (tmp_path / "r" / "study.db").unlink()
    done = denas_here("search", "--resume", str(tmp_path / "r"))
    assert done.returncode == 5
    assert "has lost its study.db" in done.stderr
