"""The notebooks and the script of the examples run as they are, and are stored without outputs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests import warm

from .notebooks import cells

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
SCRIPT = ROOT / "examples/data_to_onnx.py"
SHOWN = {
    "images": [
        "SearchResult",
        "Trial",
        "Axes",
        "RaceResult",
        "EvaluationResult",
        "Export",
        "Predictions",
        "Report",
    ],
    "hugging_face": ["SearchResult", "TrainingResult", "Predictions", "Export", "list"],
    "own_plugin": ["SearchResult", "Trial", "float", "DataFrame"],
}
"""What the cells of each notebook show, in order."""


RUN = "import runpy, sys; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a file of Python as a user would."""
    environment = {**os.environ, "MPLBACKEND": "agg"}
    return warm.run(
        [sys.executable, "-c", RUN, *arguments], env=environment, cwd=cwd, trains=True, timeout=900
    )


def test_there_is_a_notebook_for_each_way_in() -> None:
    assert {path.stem for path in NOTEBOOKS} == SHOWN.keys()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_stored_without_outputs_and_is_small(path: Path) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    code = [cell for cell in document["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    assert cells(path, "markdown")[0].startswith("# ") and path.stat().st_size < 10_000
    # A notebook imports the public names alone.
    assert not re.findall(r"(?:from|import) denas_core\.", "\n".join(cells(path, "code")))


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    pytest.importorskip("pandas")
    done = run(str(ROOT / "tests/repo/notebooks.py"), str(path), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    shown = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    types = [cell["type"] for cell in shown if cell["type"] not in ("NoneType", "int")]
    assert types == SHOWN[path.stem]
    assert all(cell["html"] for cell in shown if cell["type"] in dir(__import__("denas_core")))


@pytest.mark.slow
def test_the_script_makes_an_onnx_file_of_photos(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    for place, name in enumerate(("dark", "light")):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(20):
            colour = (number * 3 + 140 * place,) * 3
            Image.new("RGB", (32, 32), colour).save(tmp_path / "photos" / name / f"{number}.png")
    done = run(str(SCRIPT), "photos", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out/run/export/onnx/model.onnx").is_file()
    lines = done.stdout.splitlines()
    assert lines[0].startswith("best of 40 networks: ")
    assert re.fullmatch(r"accuracy \d\.\d{3} on \d+ photos that it was not trained on", lines[2])
    assert {line.split()[1] for line in lines[4:]} <= {"dark", "light"} and len(lines) == 7
    assert len(SCRIPT.read_text(encoding="utf-8").strip().splitlines()) <= 30
