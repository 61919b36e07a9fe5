"""The lines and tables in which ``denas predict`` prints answers."""

from __future__ import annotations

import csv
import io

import pytest

from denas_core import Answer
from denas_core.cli.commands.predict import _Csv, _Lines
from denas_core.models.predictor import Prediction

LONG = "a word " * 100


def test_a_long_answer_is_printed_whole_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    _Lines(1).print(Prediction(name=f"{LONG}\nend", answer=Answer(text=f"{LONG}\t\x1b[31mred")))
    name, answer = capsys.readouterr().out.rstrip("\n").split("\t")
    assert name == f"{LONG}end" and answer == f"{LONG}red"


def test_a_name_that_is_not_utf8_can_be_a_cell(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    _Csv().print(Prediction(name="caf\udce9.png", answer=Answer(text="cat", probabilities={"cat": 1.0})))
    rows = list(csv.reader(io.StringIO(capsysbinary.readouterr().out.decode())))
    assert rows == [["input", "answer", "cat"], ["caf .png", "cat", "1"]]
