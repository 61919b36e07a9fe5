"""Tables of paths and labels: the forms in which people have them, what is found in them, and what is refused."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy
import pytest
from PIL import Image

from denas_core.errors import ConfigError
from denas_cv.image.formats import open_images
from denas_cv.image.images import FileSource, Images
from denas_cv.image.tables.columns import Columns
from denas_cv.image.task import ImageClassification
from tests.cv.image_files import write_folder


def write_picture(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    values = numpy.random.default_rng(seed).integers(0, 256, (6, 8, 3)).astype(numpy.uint8)
    Image.fromarray(values).save(path, "PNG")


def write_table(path: Path, rows: Sequence[Sequence[str]], delimiter: str = ",") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(delimiter.join(row) + "\n" for row in rows), encoding="utf-8")
    return path


def found(images: Images) -> list[tuple[str, Any]]:
    """Return the name and the labels of each training image."""
    assert isinstance(images.train, FileSource)
    pairs = zip(images.train.paths, images.train.labels, strict=True)
    return [(Path(path).name, images.label_name(label)) for path, label in pairs]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with pictures 0 to 11 in ``images``."""
    for number in range(12):
        write_picture(tmp_path / "images" / f"{number}.jpg", number)
    return tmp_path


LABELS = ["cat", "dog", "cat", "owl"] * 3


@pytest.mark.parametrize(
    ("header", "delimiter", "form", "name"),
    [
        (("path", "label"), ",", "images/{}.jpg", "labels.csv"),
        (("id", "breed"), ",", "{}", "trainLabels.csv"),
        (("image_name", "Class"), "\t", "{}.jpg", "data.tsv"),
        (("Dateiname", "Klasse"), ";", "{}.jpg", "bilder.csv"),
        (("filepaths", "labels"), ",", "/home/else/photos/images/{}.jpg", "birds.csv"),
        (("filepaths", "labels"), ",", "C:\\photos\\images\\{}.jpg", "birds.csv"),
        (("file_name", "category"), ",", "./images/{}.jpg", "metadata.csv"),
    ],
)
@pytest.mark.parametrize("by_file", [True, False])
def test_columns_delimiter_and_files_are_found(
    folder: Path, header: tuple[str, str], delimiter: str, form: str, name: str, by_file: bool
) -> None:
    rows = [header, *((form.format(number), label) for number, label in enumerate(LABELS))]
    table = write_table(folder / name, rows, delimiter)
    images = open_images(table if by_file else folder, valid_share=0.01)
    assert (images.labels, images.kind, images.multiple) == (("cat", "dog", "owl"), "image-table", False)
    wanted = {(f"{number}.jpg", label) for number, label in enumerate(LABELS)}
    assert set(found(images)) < wanted
    assert images.valid is not None and len(images.valid) == 3


def test_a_header_before_marks_utf16_gzip_and_windows_encodings_are_read(folder: Path) -> None:
    text = "path,label\n" + "".join(
        f"{number}.jpg,{label.replace('a', 'á')}\n" for number, label in enumerate(LABELS)
    )
    table = folder / "labels.csv"
    for content in (
        text.encode("utf-8-sig"),
        text.encode("utf-16"),
        gzip.compress(text.encode()),
        text.encode("cp1252"),
    ):
        table.write_bytes(content)
        images = open_images(table)
        assert images.labels == ("cát", "dog", "owl")
    assert any("read as Windows-1252" in notice for notice in images.notices)


def test_json_lines_and_a_list_of_objects_are_read(folder: Path) -> None:
    rows = [{"image": f"{number}.jpg", "label": label} for number, label in enumerate(LABELS)]
    for name, text in (("a.jsonl", "\n".join(map(json.dumps, rows))), ("a.json", json.dumps(rows))):
        (folder / name).write_text(text)
        assert open_images(folder / name).labels == ("cat", "dog", "owl")


def test_parts_come_from_files_or_from_a_column(folder: Path) -> None:
    rows = list(enumerate(LABELS))
    one = write_table(
        folder / "all.csv",
        [
            ("path", "label", "split"),
            *((f"{n}.jpg", label, ("train", "Valid", "TEST")[n // 4]) for n, label in rows),
        ],
    )
    many = folder / "many"
    (folder / "images").rename(folder / "kept")
    for first, part in ((0, "train"), (4, "val"), (8, "test")):
        for number in range(first, first + 4):
            write_picture(many / part / f"{number - first}.jpg", number)
        write_table(
            many / f"{part}.csv",
            [("id", "label"), *((str(number - first), label) for number, label in rows[first : first + 4])],
        )
    for path in (one, many):
        for to_evaluate, first in ((False, 4), (True, 8)):
            images = open_images(path, to_evaluate=to_evaluate)
            assert images.train is not None and images.valid is not None
            assert (len(images.train), len(images.valid)) == (4, 4)
            # The same name is in each folder of a part: pictures are told apart by their content.
            write_picture(folder / "wanted.png", first)
            assert images.valid.content(0) == (folder / "wanted.png").read_bytes()


def test_parts_as_numbers_and_the_layout_of_the_library_datasets_are_read(folder: Path) -> None:
    rows = [(f"{n}.jpg", label, str(n // 4)) for n, label in enumerate(LABELS)]
    images = open_images(write_table(folder / "list.csv", [("image_id", "label", "partition"), *rows]))
    assert images.train is not None and images.valid is not None
    assert (len(images.train), len(images.valid)) == (4, 4)
    for part, seed in (("train", 0), ("test", 50)):
        for number in range(4):
            write_picture(folder / "hub" / part / f"{number}.png", seed + number)
        lines = [{"file_name": f"{number}.png", "label": LABELS[number]} for number in range(4)]
        (folder / "hub" / part / "metadata.jsonl").write_text("\n".join(map(json.dumps, lines)))
    images = open_images(folder / "hub")
    assert len(found(images)) == 4 and images.valid is not None and len(images.valid) == 4


def test_rows_without_file_or_label_are_named_and_left_out(folder: Path) -> None:
    rows = [(f"{n}.jpg", label) for n, label in enumerate(LABELS)]
    rows[1], rows[2] = ("gone.jpg", "dog"), ("2.jpg", "")
    table = write_table(folder / "labels.csv", [("path", "label"), *rows, ("1.jpg", "dog", "too many")])
    images = open_images(table)
    assert images.train is not None and images.valid is not None
    assert len(images.train) + len(images.valid) == 10
    told = " | ".join(images.notices)
    assert "1 of 12 rows" in told and "name no file and are left out, such as row 2, 'gone.jpg'" in told
    assert "have no label and are left out, such as row 3, '2.jpg'" in told
    assert "1 rows of" in told and "another number of columns" in told


def test_numbers_are_ordered_as_numbers_and_lose_an_empty_fraction(folder: Path) -> None:
    rows = [(f"{n}.jpg", f"{(2, 10, 1)[n % 3]}.0") for n in range(12)]
    assert open_images(write_table(folder / "a.csv", [("path", "label"), *rows])).labels == ("1", "2", "10")


def test_leftovers_of_a_competition_are_no_labels(folder: Path) -> None:
    write_table(folder / "train.csv", [("id", "label"), *((str(n), label) for n, label in enumerate(LABELS))])
    write_table(folder / "test.csv", [("id",), *((str(n),) for n in range(3))])
    write_table(folder / "sample_submission.csv", [("id", "label"), ("1", "cat")])
    images = open_images(folder)
    assert len(found(images)) == 9
    assert any("test.csv' has no column of labels" in notice for notice in images.notices)


def test_columns_that_the_user_names_are_used(folder: Path) -> None:
    rows = [(f"{n}.jpg", f"{11 - n}.jpg", label, "xy"[n % 2]) for n, label in enumerate(LABELS)]
    table = write_table(folder / "a.csv", [("path", "copy", "label", "shape"), *rows])
    images = open_images(table, columns=Columns(path="copy", label="shape"))
    assert images.labels == ("x", "y") and ("11.jpg", "x") in found(images)
    with pytest.raises(
        ConfigError, match=r"has no column 'shap' \(task\.label\).*'path', 'copy', 'label', 'shape'"
    ):
        open_images(table, columns=Columns(label="shap"))
    with pytest.raises(ConfigError, match=r"has 'cat' in the column 'label', which is none of train"):
        open_images(table, columns=Columns(label="shape", split="label"))


def test_folders_of_classes_are_preferred_to_a_list_of_them(tmp_path: Path) -> None:
    write_folder(tmp_path, {f"{part}/{label}": 2 for part in ("train", "val") for label in ("a", "b")})
    write_table(tmp_path / "list.csv", [("path", "label"), ("train/a/0.png", "wrong")])
    assert open_images(tmp_path).kind == "image-folder"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        ("path,label\n", "has no rows"),
        ("path,label\n1.jpg,cat\n2.jpg,cat\n", "of only the class 'cat'"),
        ("path,label\ngone.jpg,cat\n", "has no column that names image files"),
        ("path,label,label\n1.jpg,cat,dog\n", "has two columns 'label'"),
        ("path,x,y2\n1.jpg,1.5,2.5\n2.jpg,1.5,2.5\n", "has no column of labels; name it with task.label"),
        ("text,label\ngood,1\nbad,0\n", "has no column that names image files"),
        ('{"path": "1.jpg"\n', "is not JSON with one object a line in line 1"),
        ("path,label\n1.jpg,\n", "no row of"),
        ("path,label\0\n", "it holds zero bytes"),
    ],
)
def test_tables_that_cannot_be_learnt_from_are_named(folder: Path, text: str, reason: str) -> None:
    (folder / "table.csv").write_text(text)
    with pytest.raises(ConfigError) as caught:
        open_images(folder / "table.csv")
    assert reason in str(caught.value) and "table.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_several_tables_are_not_chosen_from(folder: Path) -> None:
    for name in ("one.csv", "two.csv"):
        write_table(
            folder / name, [("path", "label"), *((f"{n}.jpg", label) for n, label in enumerate(LABELS))]
        )
    with pytest.raises(ConfigError, match=r"has several tables of images: .*one\.csv.*two\.csv"):
        open_images(folder)


SETS = ["red round", "red", "", "large", "round large red", "red large"] * 2


def test_several_labels_are_read_in_every_form(folder: Path) -> None:
    names = ("large", "red", "round")
    tables = {
        f"{name}.csv": [
            ("path", "tags"),
            *((f"{n}.jpg", text.replace(" ", by)) for n, text in enumerate(SETS)),
        ]
        for name, by in (("bars", "|"), ("spaces", " "), ("semicolons", ";"))
    }
    tables["columns.csv"] = [
        ("path", *names),
        *((f"{n}.jpg", *(str(int(name in text.split())) for name in names)) for n, text in enumerate(SETS)),
    ]
    tables["signs.csv"] = [
        ("path", *names),
        *(
            (f"{n}.jpg", *(str(1 if name in text.split() else -1) for name in names))
            for n, text in enumerate(SETS)
        ),
    ]
    tables["long.csv"] = [
        ("path", "label"),
        *((f"{n}.jpg", name) for n, text in enumerate(SETS) for name in text.split()),
    ]
    for name, rows in tables.items():
        images = open_images(write_table(folder / name, rows), multiple=True, valid_share=0.01)
        assert images.multiple and images.labels == names, name
        for path, text in found(images):
            wanted = SETS[int(Path(path).stem)].split()
            assert sorted(text.split(", ")) == sorted(wanted or [""]), (name, path)
    lines = [{"path": f"{n}.jpg", "labels": text.split()} for n, text in enumerate(SETS)]
    (folder / "lists.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert open_images(folder / "lists.jsonl", multiple=True).labels == names


def test_names_with_spaces_and_commas_are_one_label(folder: Path) -> None:
    names = ["golden retriever", "labrador retriever", "pug"]
    rows = [(f"{n}.jpg", names[n % 3]) for n in range(12)]
    images = open_images(write_table(folder / "labels.csv", [("path", "breed"), *rows]))
    assert (images.multiple, images.labels) == (False, tuple(names))


def test_labels_that_always_occur_together_are_several(folder: Path) -> None:
    cells = ['"cat,animal"', '"ship,vehicle"', '"dog,animal"', '"truck,vehicle"']
    table = write_table(
        folder / "a.csv", [("path", "label"), *((f"{n}.jpg", cells[n % 4]) for n in range(12))]
    )
    images = open_images(table)
    assert images.multiple and images.labels == ("animal", "cat", "dog", "ship", "truck", "vehicle")
    images = open_images(table, columns=Columns(separator="none"))
    assert not images.multiple and "cat,animal" in images.labels


def test_one_column_of_ones_for_each_image_is_one_label(folder: Path) -> None:
    rows = [(str(n), *("1.0" if n % 3 == place else "0.0" for place in range(3))) for n in range(12)]
    images = open_images(write_table(folder / "truth.csv", [("image", "MEL", "NV", "BCC"), *rows]))
    assert not images.multiple and images.labels == ("BCC", "MEL", "NV")
    assert Counter(dict(found(images)).values()) == {"MEL": 3, "NV": 3, "BCC": 3}


def test_a_column_that_is_no_flag_is_named(folder: Path) -> None:
    table = write_table(folder / "a.csv", [("path", "x", "y"), ("1.jpg", "1", "0"), ("2.jpg", "0", "maybe")])
    with pytest.raises(
        ConfigError, match=r"row 2 of .* has 'maybe' in the column 'y', where 0 or 1 is expected"
    ):
        open_images(table, columns=Columns(label="x,y"), multiple=True)


def test_a_table_of_recordings_is_none_of_images(tmp_path: Path) -> None:
    for name in "abcd":
        (tmp_path / f"{name}.wav").write_bytes(b"RIFF")
    (tmp_path / "train.csv").write_text("file,sentence\n" + "".join(f"{name}.wav,GO\n" for name in "abcd"))
    assert ImageClassification().describe(tmp_path) is None
    assert ImageClassification().describe(tmp_path / "train.csv") is None
