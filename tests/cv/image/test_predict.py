"""Answers for pictures: from a trained model, from exports of it, from Python and on the command line."""

from __future__ import annotations

import csv
import io
import json
import os
import select
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from denas_core import Predictor, Registry, TaskData, TrainedModel
from denas_core.errors import ConfigError, StoreDamaged
from denas_core.models import export_model
from tests.core.toy_searches import denas_command, denas_here, environment
from tests.predicting import outputs_for, saved_model

Saved = tuple[Path, TrainedModel, TaskData[Any]]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Saved:
    registry = Registry.discover()
    space = registry.create("space", "cv/cnn:micro", {"classes": 3, "image_size": 16})
    task = registry.create("task", "cv/image-classification")
    return saved_model(task, space, tmp_path_factory.mktemp("pictures"))


def pictures(saved: Saved) -> list[Path]:
    """Return the pictures that are measured on, in the order of the split."""
    return sorted((saved[0].parent / "data" / "val").rglob("*.png"))


def test_the_answer_is_the_class_with_the_largest_output(saved: Saved) -> None:
    folder, model, read = saved
    for index, found in enumerate(Predictor.load(folder)(pictures(saved))):
        wanted = outputs_for(model, read, index).logits["logits"][0].softmax(-1)
        answer = found.answer
        assert answer is not None and answer.text == model.facts["labels"][int(wanted.argmax())]
        assert answer.probability == pytest.approx(float(wanted.max()), abs=1e-6)
        assert list(answer.probabilities.values()) == sorted(answer.probabilities.values(), reverse=True)
        assert sum(answer.probabilities.values()) == pytest.approx(1)


@pytest.mark.parametrize("form", ["torch-export", "onnx", "safetensors"])
def test_exports_answer_as_the_model_does(saved: Saved, tmp_path: Path, form: str) -> None:
    folder, model, _ = saved
    done = export_model(Registry.discover().create("exporter", form), model, tmp_path / form)
    wanted = Predictor.load(folder)(pictures(saved))
    for place in (done.path, done.directory):
        found = Predictor.load(place)(pictures(saved))
        for one, other in zip(found, wanted, strict=True):
            assert (
                one.answer is not None and other.answer is not None and one.answer.text == other.answer.text
            )
            assert one.answer.probability == pytest.approx(other.answer.probability, abs=1e-5)


def test_the_size_of_a_batch_changes_nothing(saved: Saved) -> None:
    alone, together = (Predictor.load(saved[0], batch_size=size)(pictures(saved)) for size in (1, 4))
    assert [each.answer and each.answer.text for each in alone] == [
        each.answer and each.answer.text for each in together
    ]


def test_a_folder_stands_for_the_pictures_in_it_and_a_line_for_each(saved: Saved) -> None:
    done = denas_here("predict", str(saved[0]), str(saved[0].parent / "data" / "val"))
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert done.returncode == 0 and [row[0] for row in rows] == [str(path) for path in pictures(saved)]
    assert all(row[1] in saved[1].facts["labels"] and 0 < float(row[2]) <= 1 for row in rows)


def test_names_can_come_from_a_pipe_and_several_labels_are_shown(saved: Saved) -> None:
    path = str(pictures(saved)[0])
    done = denas_here("predict", str(saved[0]), "-", "--top", "2", stdin=f"{path}\n\n")
    (row,) = [line.split("\t") for line in done.stdout.splitlines()]
    assert row[0] == path and len(row) == 5 and float(row[2]) >= float(row[4])


def test_a_line_that_is_typed_is_answered_before_the_next(saved: Saved) -> None:
    leader, follower = os.openpty()
    command = denas_command("predict", str(saved[0]), "-")
    path = str(pictures(saved)[0])
    with subprocess.Popen(
        command, stdin=follower, stdout=subprocess.PIPE, env=environment(), text=True
    ) as process:
        assert process.stdout is not None
        for _ in range(2):
            os.write(leader, f"{path}\n".encode())
            assert select.select([process.stdout], [], [], 300)[0], "the next line is not there yet"
            assert process.stdout.readline().startswith(path)
        os.write(leader, b"\x04")
        assert process.wait(timeout=300) == 0
    os.close(leader)
    os.close(follower)


def test_csv_has_a_column_for_each_label(saved: Saved) -> None:
    done = denas_here("predict", str(saved[0]), *map(str, pictures(saved)[:2]), "--csv")
    header, *rows = csv.reader(io.StringIO(done.stdout))
    assert header == ["input", "answer", "circle", "square", "triangle"]
    assert len(rows) == 2 and sum(map(float, rows[0][2:])) == pytest.approx(1, abs=1e-4)


def test_pictures_that_cannot_be_read_are_named_and_the_others_are_answered(
    saved: Saved, tmp_path: Path
) -> None:
    (tmp_path / "bad.png").write_text("no picture")
    good = str(pictures(saved)[0])
    done = denas_here("predict", str(saved[0]), str(tmp_path / "bad.png"), good, "none.png", "--json")
    document = json.loads(done.stdout)
    bad, fine, none = document["predictions"]
    assert done.returncode == 2 and "2 of the inputs could not be answered" in done.stderr
    assert "cannot be read" in bad["fault"] and "none.png" in none["fault"] and "fault" not in fine
    assert fine["answer"] in fine["probabilities"] and document["task"] == "cv/image-classification"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "there is nothing to predict"),
        (["--csv", "--json", "x.png"], "exclude each other"),
    ],
)
def test_what_cannot_be_predicted_is_one_line(saved: Saved, arguments: list[str], reason: str) -> None:
    done = denas_here("predict", str(saved[0]), *arguments)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1) and reason in done.stderr


def test_a_folder_without_a_picture_is_named_and_other_paths_are_answered(
    saved: Saved, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    done = denas_here("predict", str(saved[0]), str(tmp_path / "empty"), str(pictures(saved)[0]))
    assert done.returncode == 2 and "has no image" in done.stderr and done.stdout.count("\n") == 1


def test_a_place_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="neither a run nor a trained model"):
        Predictor.load(tmp_path)


def test_an_export_without_a_trained_network_is_refused(tmp_path: Path) -> None:
    (tmp_path / "card.json").write_text(json.dumps({"schema": "denas.export/1", "trials": 3}))
    with pytest.raises(ConfigError, match="has no trained network"):
        Predictor.load(tmp_path)


def test_a_reader_that_goes_ends_an_endless_stream(saved: Saved) -> None:
    command = shlex.join(denas_command("predict", str(saved[0]), "-", "--batch-size", "1"))
    given = shlex.quote(str(pictures(saved)[0]))
    done = subprocess.run(
        ["bash", "-c", f"yes {given} | {command} | head -1; exit ${{PIPESTATUS[1]}}"],
        capture_output=True, text=True, env=environment(), check=False, timeout=300,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.count("\n") == 1


@pytest.fixture(scope="module", params=["onnx", "executorch", "torch-export"])
def exported(request: pytest.FixtureRequest, saved: Saved, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of an export."""
    if request.param == "executorch":
        pytest.importorskip("executorch")
    folder = tmp_path_factory.mktemp("exported") / request.param
    return export_model(Registry.discover().create("exporter", request.param), saved[1], folder).path


def test_an_export_whose_file_is_missing_or_cut_off_is_called_damaged(
    exported: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = Path(shutil.copytree(exported.parent, tmp_path / "export")) / exported.name
    content = file.read_bytes()
    for left in (content[: len(content) // 2], b""):
        file.write_bytes(left)
        with pytest.raises(StoreDamaged, match=f"{file.name}' cannot be opened, so it may be damaged"):
            Predictor.load(file.parent)
    file.unlink()
    with pytest.raises(StoreDamaged, match=f"has lost '.*{file.name}'"):
        Predictor.load(file.parent)
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("key", ["space", "exporter", "artefact", "facts", ""])
def test_a_card_that_is_cut_off_or_lacks_something_is_called_damaged(
    exported: Path, tmp_path: Path, key: str
) -> None:
    folder = Path(shutil.copytree(exported.parent, tmp_path / "export"))
    text = (folder / "card.json").read_text()
    card = {name: value for name, value in json.loads(text).items() if name != key}
    (folder / "card.json").write_text(json.dumps(card) if key else text[:500])
    with pytest.raises(StoreDamaged, match=r"card\.json' is damaged"):
        Predictor.load(folder)


def test_an_empty_standard_input_is_named(saved: Saved) -> None:
    done = denas_here("predict", str(saved[0]), "-", stdin="\n")
    assert (done.returncode, done.stdout) == (
        2,
        "",
    ) and "the standard input has nothing to answer" in done.stderr


def test_a_closed_standard_input_has_nothing_to_answer(saved: Saved) -> None:
    command = ["sh", "-c", 'exec "$@" <&-', "sh", *denas_command("predict", str(saved[0]), "-")]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment(), timeout=300
    )
    assert (done.returncode, done.stdout) == (2, "") and "has nothing to answer" in done.stderr
