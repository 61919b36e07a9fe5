"""No file of any export holds a path of the machine on which the network was trained."""

from __future__ import annotations

import dataclasses
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import denas_core
from denas_core import Exporter, Registry, save_model
from tests.core.toy_searches import denas_here

from .trained import trained_model

FORMS = [
    id
    for id in Registry.discover().ids("exporter")
    if issubclass(Registry.discover().load("exporter", id), Exporter)
    # These are for networks with adapters alone: tests/adapters has the same test for them.
    and not id.startswith("adapters/")
]


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the content of each file, and of each file in an archive."""
    for path in folder.rglob("*"):
        if path.is_file():
            yield str(path), path.read_bytes()
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as archive:
                    yield from ((f"{path}: {name}", archive.read(name)) for name in archive.namelist())


@pytest.mark.slow
@pytest.mark.parametrize(
    "form",
    [
        pytest.param(id, marks=pytest.mark.nightly if "openvino" in id or "executorch" in id else ())
        for id in FORMS
    ],
)
def test_no_file_of_an_export_holds_a_path_of_this_machine(form: str, tmp_path: Path) -> None:
    if form.startswith("executorch/"):
        pytest.importorskip("executorch")
    made = trained_model(tmp_path / "data", "bert", "nlp/sst2")
    assert made.task is not None
    vocabulary = tmp_path / "data" / "vocab.txt"
    task = dataclasses.replace(made.task, vocab=str(vocabulary)).named(made.task.id)  # type: ignore[call-arg]
    history = {
        "source": str(tmp_path / "run"),
        "data": str(tmp_path / "data"),
        "teacher": str(Path.home() / "teacher"),
        "space": {"model": str(tmp_path / "checkpoint")},
    }
    save_model(tmp_path / "model", dataclasses.replace(made, task=task, history=history))
    done = denas_here("export", str(tmp_path / "model"), "--to", form, "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    here = {str(tmp_path), str(Path.home()), "/tmp/", str(Path.cwd()), str(Path(denas_core.__file__).parent)}
    found = {
        (name, path)
        for name, content in contents(tmp_path / "out")
        for path in here
        if path.encode() in content
    }
    assert found == set()
    card = (tmp_path / "out" / "card.json").read_text()
    assert '"data": "data"' in card and '"model": "checkpoint"' in card and '"vocab": "vocab.txt"' in card
