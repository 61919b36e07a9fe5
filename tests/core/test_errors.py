from __future__ import annotations

import copy

import pytest

from denas_core import errors
from denas_core.cli import _run
from denas_core.errors import DenasError, Interrupted, NoResult, did_you_mean, keep_notices


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("DenasError", 70),
        ("NoResult", 1),
        ("ConfigError", 2),
        ("NotInstalled", 2),
        ("PluginError", 3),
        ("RunBusy", 4),
        ("StoreDamaged", 5),
        ("StorageError", 6),
        ("Infeasible", 7),
    ],
)
def test_every_error_has_its_documented_exit_code(name: str, code: int) -> None:
    error = getattr(errors, name)("text")
    assert isinstance(error, DenasError)
    assert (error.exit_code, str(error)) == (code, "text")


@pytest.mark.parametrize(("signal_number", "code"), [(1, 129), (2, 130), (15, 143)])
def test_an_interruption_exits_as_a_shell_would(signal_number: int, code: int) -> None:
    assert Interrupted("stopped", signal_number=signal_number).exit_code == code


def test_a_failed_score_is_no_error_of_the_run() -> None:
    assert not issubclass(errors.ScoreFailed, DenasError)


@pytest.mark.parametrize(
    ("name", "known", "hint"),
    [
        ("embed_dims", ["depth", "embed_dim"], "; did you mean 'embed_dim'?"),
        ("sead", {"seed": 1, "space": 2}, "; did you mean 'seed'?"),
        ("xyz", ["depth", "embed_dim"], ""),
        ("depth", [], ""),
        ("", ["depth"], ""),
    ],
)
def test_the_nearest_known_name_is_proposed(name: str, known: list[str], hint: str) -> None:
    assert did_you_mean(name, known) == hint


def test_an_error_carries_the_notices_found_before_it() -> None:
    notices = ["three files are left out"]
    with (
        pytest.raises(NoResult) as caught,
        keep_notices(lambda: notices),
        keep_notices(lambda: ["one is empty"]),
    ):
        notices.append("found later")
        raise NoResult("nothing is left")
    assert caught.value.notices == ("three files are left out", "found later", "one is empty")
    assert str(caught.value) == "nothing is left"
    assert copy.copy(caught.value).notices == caught.value.notices


def test_an_interruption_has_no_notices() -> None:
    with pytest.raises(Interrupted) as caught, keep_notices(lambda: ["a file is left out"]):
        raise Interrupted("stopped", signal_number=2)
    assert caught.value.notices == ()


def test_the_command_line_prints_notices_before_the_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def app(**_: object) -> None:
        with keep_notices(lambda: ["'a\x07.txt' is left out"]):
            raise NoResult("nothing is left")

    monkeypatch.setattr("denas_core.cli.app.app", app)
    assert _run(["plugins"], debug=False) == 1
    assert capsys.readouterr().err == "note: 'a .txt' is left out\nerror: nothing is left\n"
