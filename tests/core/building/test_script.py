"""The code of ``predict.py``, as its user runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from denas_core.building.script import ANSWERING, FEEDING, HEAD, MAIN

RUNNING = """def run(inputs):
    return {"logits": numpy.zeros(3000)}


def read(text):
    return {}


def answer(outputs):
    return "x" * 9000
"""


@pytest.mark.parametrize("body", [ANSWERING, FEEDING])
def test_a_reader_that_goes_ends_it_without_a_word(tmp_path: Path, body: str) -> None:
    import numpy

    script = tmp_path / "predict.py"
    script.write_text(HEAD.format(what="Answers.", how="Use it.") + RUNNING + body + MAIN)
    given = tmp_path / "inputs.npz"
    numpy.savez(given, x=numpy.zeros(2))
    # More than a pipe holds.
    command = [sys.executable, str(script), *[str(given)] * 40]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.read(20)
        process.stdout.close()
        said = process.stderr.read()
        assert (process.wait(), said) == (0, b"")
