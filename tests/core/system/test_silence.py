"""Other libraries are silent inside the contexts, and as loud as before afterwards."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import warnings
from collections.abc import Iterator

import pytest

from denas_core import captured_stderr, silent_libraries


@pytest.fixture
def shown() -> Iterator[io.StringIO]:
    """Everything that the logger of a library shows, whose level is that of notices."""
    logger, shown = logging.getLogger("chatty"), io.StringIO()
    handler = logging.StreamHandler(shown)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield shown
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)


def test_warnings_and_records_are_suppressed_for_a_while(shown: io.StringIO) -> None:
    def speak() -> None:
        warnings.warn("deprecated", stacklevel=1)
        logging.getLogger("chatty.parts").warning("odd")

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        with pytest.raises(KeyError), silent_libraries("chatty"):
            speak()
            logging.getLogger("chatty").error("wrong")
            raise KeyError
        assert warned == []
        speak()
    assert [str(each.message) for each in warned] == ["deprecated"]
    assert logging.getLogger("chatty").level == logging.INFO
    assert shown.getvalue() == "wrong\nodd\n"


def test_a_level_above_all_suppresses_errors_too(shown: io.StringIO) -> None:
    with silent_libraries("chatty", level=logging.CRITICAL + 1):
        logging.getLogger("chatty").critical("lost")
    assert shown.getvalue() == ""


def test_what_other_code_than_python_writes_is_kept(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyError), captured_stderr() as written:
        subprocess.run(["sh", "-c", "echo from a program >&2"], check=True)
        assert written() == "from a program\n"
        os.write(2, b"and more\xff")
        assert written() == "from a program\nand more\N{REPLACEMENT CHARACTER}"
        raise KeyError
    assert capfd.readouterr().err == ""
    os.write(2, b"again")
    assert capfd.readouterr().err == "again"
