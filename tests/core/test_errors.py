from __future__ import annotations

import pytest

from denas_core import errors
from denas_core.errors import DenasError, Interrupted, did_you_mean


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
