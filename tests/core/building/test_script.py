"""The code of ``predict.py``, as its user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy
import pytest

from denas_core.building.script import ANSWERING, FEEDING, HEAD, MAIN, READING

RUNNING = """def run(inputs):
    return {"logits": numpy.zeros(3000)}


def read(text):
    if text == "bad":
        raise ValueError("this is\\nbad")
    return {"x": text}


def answer(outputs):
    return "x" * 9000
"""

ECHO = """def run(inputs):
    return inputs


def items(path):
    if path == "none":
        raise OSError("no such file")
    if path == "empty":
        return
    yield from ((f"{path}:{number}", f"{path} {number}") for number in (1, 2))


def read(text):
    if "bad" in text:
        raise ValueError("this is\\nbad")
    return {"x": text}


def answer(outputs):
    return outputs["x"].upper()
"""


def script(folder: Path, running: str, body: str) -> Path:
    """Write the script, and return its path."""
    path = folder / "predict.py"
    path.write_text(HEAD.format(what="Answers.", how="Use it.") + running + READING + body + MAIN)
    return path


def run(path: Path, *arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
    """Return exit code, output and errors of the script."""
    done = subprocess.run(
        [sys.executable, str(path), *arguments], input=stdin, capture_output=True, check=False, timeout=300
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.mark.parametrize("body", [ANSWERING, FEEDING])
def test_a_reader_that_goes_ends_it_without_a_word(tmp_path: Path, body: str) -> None:
    given = tmp_path / "inputs.npz"
    numpy.savez(given, x=numpy.zeros(2))
    # More than a pipe holds.
    command = [sys.executable, str(script(tmp_path, RUNNING, body)), *[str(given)] * 40]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.read(20)
        process.stdout.close()
        said = process.stderr.read()
        assert (process.wait(), said) == (0, b"")


def test_lines_of_the_standard_input_texts_and_files_are_inputs(tmp_path: Path) -> None:
    path = script(tmp_path, ECHO, ANSWERING)
    found = run(path, "file", "--text", "a text", "-", stdin="über\r\n\n  two\twords \n".encode())
    lines = ["a text\tA TEXT", "file:1\tFILE 1", "file:2\tFILE 2", "über\tÜBER", "two words\t  TWO\tWORDS "]
    assert found == (0, "".join(f"{line}\n" for line in lines), "")


def test_inputs_that_cannot_be_answered_are_named_and_all_others_are_answered(tmp_path: Path) -> None:
    path = script(tmp_path, ECHO, ANSWERING)
    code, out, err = run(path, "none", "-", stdin=b"one\nbad\ntwo\n")
    assert (code, out) == (2, "one\tONE\ntwo\tTWO\n")
    assert err.splitlines() == [
        "left out: none OSError no such file",
        "left out: bad ValueError this is bad",
        "error: 2 of the inputs could not be answered; see above",
    ]


def test_without_inputs_one_line_says_what_can_be_given(tmp_path: Path) -> None:
    code, out, err = run(script(tmp_path, ECHO, ANSWERING))
    assert (code, out) == (2, "") and "name files, give --text, or - to read lines" in err


def test_a_name_that_is_not_utf8_is_opened_and_printed(tmp_path: Path) -> None:
    running = RUNNING.replace('"x" * 9000', '"an answer"').replace(
        'return {"x": text}', 'return {"x": Path(text).read_bytes()}'
    )
    name = os.fsencode(tmp_path) + b"/\xe9.txt"
    try:
        Path(os.fsdecode(name)).write_bytes(b"x")
    except OSError:
        pytest.skip("the file system takes only names in UTF-8")
    code, out, err = run(script(tmp_path, running, ANSWERING), "-", stdin=name + b"\n")
    assert (code, err) == (0, "") and out.endswith("?.txt\tan answer\n")


def test_a_script_for_arrays_takes_their_files_from_lines_and_says_so_for_others(tmp_path: Path) -> None:
    numpy.savez(tmp_path / "in.npz", x=numpy.arange(2))
    echo = "def run(inputs):\n    return inputs\n"
    lines = f"{tmp_path / 'in.npz'}\na fine film\n".encode()
    code, out, err = run(script(tmp_path, echo, FEEDING), "-", stdin=lines)
    assert (code, out) == (2, f"{tmp_path / 'in.npz'}\tx\t[0, 1]\n")
    assert "left out: a fine film ValueError an input is an .npz file of prepared arrays" in err


@pytest.mark.parametrize(
    ("running", "said"),
    [
        ("import no_such_module\n", "No module named 'no_such_module'; install the package of this module"),
        (
            "(HERE / 'model.onnx').read_bytes()\n",
            "model.onnx'; if a file of the export is missing or damaged",
        ),
    ],
)
def test_a_package_or_a_file_that_is_missing_is_one_line(tmp_path: Path, running: str, said: str) -> None:
    path = script(tmp_path, running + ECHO, ANSWERING)
    code, out, err = run(path, "file")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"error: {path} cannot run: ") and said in err


def test_an_input_that_holds_nothing_is_named(tmp_path: Path) -> None:
    code, out, err = run(script(tmp_path, ECHO, ANSWERING), "empty", "-", "--text", "a", stdin=b"\n")
    assert (code, out) == (2, "a\tA\n")
    assert err.splitlines()[:2] == [
        f"left out: {name} ValueError there is nothing to answer in it: no line with content"
        for name in ("empty", "-")
    ]


def test_a_closed_standard_input_is_empty(tmp_path: Path) -> None:
    path = script(tmp_path, ECHO, ANSWERING)
    command = ["sh", "-c", '"$0" "$1" --text a - <&-', sys.executable, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert (done.returncode, done.stdout) == (2, "a\tA\n")
    assert "left out: - ValueError there is nothing to answer" in done.stderr


def test_a_file_that_holds_other_arrays_is_named_with_what_it_lacks(tmp_path: Path) -> None:
    numpy.savez(tmp_path / "other.npz", y=numpy.arange(2))
    (tmp_path / "text.npz").write_text("PK a fine film")
    (tmp_path / "empty.npz").touch()
    running = 'def run(inputs):\n    return {"x": inputs["x"]}\n'
    code, out, err = run(script(tmp_path, running, FEEDING), *map(str, sorted(tmp_path.glob("*.npz"))))
    assert (code, out) == (2, "")
    empty, other, text, _ = err.splitlines()
    assert "it lacks the array 'x'" in other
    assert all("not an .npz file that numpy.savez has written" in line for line in (empty, text))
