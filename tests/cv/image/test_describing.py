"""What the image tasks say of data before a training, and of the size of images at its beginning."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from denas_core.errors import ConfigError
from denas_core.testing.samples.spaces import SampleCNN
from denas_cv.image.describing import proposed_size, proposed_spaces
from denas_cv.image.images import ImageSize
from denas_cv.image.multilabel import ImageMultilabel
from denas_cv.image.task import ImageClassification
from tests.cv.image_files import REAL, needs_real_data, write_folder, write_idx

SPACE = SampleCNN().named("sample/cnn")
PHOTOS = {"train/cat": 4, "train/dog": 3, "val/cat": 2, "val/dog": 1, "test/cat": 1, "test/dog": 1}


def test_folders_are_described_without_a_training(tmp_path: Path) -> None:
    write_folder(tmp_path, {**PHOTOS, "train/.cache": 1}, size=(150, 100))
    found = ImageClassification().describe(tmp_path)
    assert found is not None
    assert found.samples == {"train": 7, "valid": 3, "test": 2}
    assert found.labels == {"cat": 4, "dog": 3}
    assert found.facts == {"size": "150 x 100 pixels"}
    assert found.space_options == {"classes": 2, "channels": 3, "image_size": 96}
    assert found.spaces == ("cv/cnn:micro", "cv/vit:micro")
    assert found.exact and any(".cache" in notice for notice in found.notices)
    assert ImageMultilabel().describe(tmp_path) is None


def test_a_part_that_is_set_aside_is_counted_in_training(tmp_path: Path) -> None:
    write_idx(tmp_path, "t10k", [1] * 40 + [7] * 20)
    found = ImageClassification().describe(tmp_path)
    assert found is not None
    assert found.samples == {"train": 60} and found.labels == {"1": 40, "7": 20}
    assert found.space_options == {"classes": 2, "channels": 1, "image_size": 32}


def test_sizes_are_those_of_upright_images_and_damaged_ones_have_none(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        for number in range(3):
            colour = (number, 0, 9 if label == "a" else 0)
            Image.new("RGB", (60, 40 + number), colour).save(tmp_path / label / f"{number}.jpg", exif=exif)
    (tmp_path / "a" / "broken.jpg").write_bytes(b"no image")
    found = ImageClassification().describe(tmp_path)
    assert found is not None
    assert found.facts["size"] == "41 x 60 pixels (median; shorter sides from 40 to 42)"


def test_grey_files_need_one_channel(tmp_path: Path) -> None:
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        for number in range(3):
            Image.new("L", (8 + number, 8), 99 if label == "a" else 9).save(
                tmp_path / label / f"{number}.png"
            )
    found = ImageClassification().describe(tmp_path)
    assert found is not None and found.space_options["channels"] == 1


def test_tables_with_several_labels_are_of_the_other_task(tmp_path: Path) -> None:
    ImageMultilabel().example(tmp_path, SPACE)
    assert ImageClassification().describe(tmp_path) is None
    found = ImageMultilabel().describe(tmp_path)
    assert found is not None
    assert found.samples == {"train": 8, "valid": 8}
    assert found.labels == {"red": 5, "round": 4, "large": 1}
    assert found.facts["labels of an image"] == "1.2 on average, at most 2"
    json.dumps([found.samples, found.labels, found.facts, found.space_options])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("reviews.csv", "text,label\ngood,1\nbad,0\n"),
        ("train.json", '{"data": []}'),
        ("notes.txt", "hello"),
        ("images.zip", "PK"),
    ],
)
def test_other_data_are_not_described(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    for path in (tmp_path, tmp_path / name, tmp_path / "missing"):
        assert ImageClassification().describe(path) is None
        assert ImageMultilabel().describe(path) is None


def test_images_that_cannot_be_learnt_from_are_refused_as_a_training_refuses_them(tmp_path: Path) -> None:
    write_folder(tmp_path, {"train/cat": 3, "val/cat": 2})
    with pytest.raises(ConfigError) as described:
        ImageClassification().describe(tmp_path)
    with pytest.raises(ConfigError) as read:
        ImageClassification().read(tmp_path, SPACE)
    assert str(described.value) == str(read.value)


@pytest.mark.parametrize(
    ("side", "samples", "size"),
    [
        (28, 60_000, 32),
        (40, 100, 32),
        (46, 100, 64),
        (64, 100, 64),
        (375, 244, 96),
        (375, 50_000, 224),
        (130, 50_000, 128),
    ],
)
def test_the_size_is_the_nearest_one_and_smaller_for_few_images(side: int, samples: int, size: int) -> None:
    assert proposed_size([ImageSize(side * 2, side, False)] * 3, samples) == size


def test_few_images_get_compact_spaces() -> None:
    assert proposed_spaces(32, 500)[0] == "cv/cnn:micro"
    assert proposed_spaces(32, 50_000)[0] == "cv/cnn:cifar"
    assert proposed_spaces(224, 50_000)[0] == "cv/cnn:imagenet"


def test_reading_says_what_the_data_are_and_warns_of_large_images(tmp_path: Path) -> None:
    data = ImageClassification().read(write_folder(tmp_path / "a", PHOTOS, size=(150, 100)), SPACE)
    assert list(data.contents) == [
        "2 classes: cat, dog",
        "images of 150 x 100 pixels, of which the network sees 8 x 8",
    ]
    (warning,) = [notice for notice in data.notices if "small details are lost" in notice]
    assert "space.image_size=96" in warning
    small = ImageClassification().read(write_folder(tmp_path / "b", PHOTOS, size=(12, 9)), SPACE)
    assert not any("small details" in notice for notice in small.notices)


@needs_real_data
def test_real_data_are_described() -> None:
    found = ImageClassification().describe(REAL / "cifar10-python")
    assert found is not None
    assert found.samples == {"train": 5000, "valid": 1000}
    assert found.space_options == {"classes": 10, "channels": 3, "image_size": 32}
    for name in ("librispeech", "squad", "glue"):
        assert ImageClassification().describe(REAL / name) is None
