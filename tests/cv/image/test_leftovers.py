"""What lies among the images and is none of them: it is counted and named, and never read or learnt from."""

from __future__ import annotations

import os
import shutil
import unicodedata
from collections import Counter
from pathlib import Path

import numpy
import pytest
from PIL import Image

from denas_core.errors import ConfigError
from denas_core.testing.samples.spaces import SampleCNN
from denas_cv.image.formats import open_images
from denas_cv.image.images import FileSource, Images
from denas_cv.image.task import ImageClassification
from tests.cv.image_files import write_folder, write_idx

COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "Café") for form in ("NFC", "NFD"))


def paths(images: Images) -> list[str]:
    found: list[str] = []
    for source in (images.train, images.valid):
        assert isinstance(source, FileSource)
        found += source.paths
    return found


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return write_folder(
        tmp_path / "photos", {f"{part}/{label}": 3 for part in ("train", "val") for label in ("cat", "dog")}
    )


@pytest.mark.parametrize(
    "place",
    [
        "train/cat/.ipynb_checkpoints/x.png",
        "train/cat/day/.hidden/deep/x.png",
        "train/cat/._0.png",
        "train/cat/__MACOSX/cat/x.png",
        "train/__MACOSX/x.png",
        "train/.cache/x.png",
        "train/dog/@eaDir/x.png",
        "train/dog/Thumbs.db",
        "val/dog/desktop.ini",
        "val/dog/.DS_Store",
        "__MACOSX/train/cat/x.png",
        ".git/x.png",
    ],
)
def test_hidden_files_and_leftovers_of_archives_are_named_and_not_read(photos: Path, place: str) -> None:
    before = open_images(photos)
    (photos / place).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(photos / "val/cat/0.png", photos / place)
    images = open_images(photos)
    assert paths(images) == paths(before)
    (notice,) = set(images.notices) - set(before.notices)
    assert "1 files or folders are hidden or left behind by an archive" in notice
    assert any(part in notice for part in Path(place).parts if part not in ("train", "val", "cat", "dog"))


def test_a_folder_of_an_archive_beside_the_data_does_not_hide_them(tmp_path: Path) -> None:
    write_folder(tmp_path, {"photos/cat": 3, "photos/dog": 3, "__MACOSX/photos/cat": 2})
    assert open_images(tmp_path).labels == ("cat", "dog")


def test_links_to_folders_inside_a_class_are_named_and_not_followed(photos: Path) -> None:
    before = open_images(photos)
    (photos / "train/cat/others").symlink_to(photos / "train/dog")
    (photos / "train/cat/loop").symlink_to(photos / "train")
    (photos / "train/cat/gone.png").symlink_to(photos / "nowhere.png")
    images = open_images(photos)
    assert paths(images) == paths(before)
    told = " | ".join(images.notices)
    assert "2 links lead to folders, such as" in told and "loop" in told
    assert "1 links or files cannot be opened" in told and "gone.png" in told


def test_links_to_classes_and_to_images_are_read(photos: Path) -> None:
    write_folder(photos.parent / "elsewhere", {"owl": 4})
    (photos / "train/owl").symlink_to(photos.parent / "elsewhere/owl")
    images = open_images(photos)
    assert Counter(images.train.labels if images.train else ()) == {0: 3, 1: 3, 2: 4}


def test_a_pipe_named_like_an_image_is_not_waited_for(photos: Path) -> None:
    os.mkfifo(photos / "train/cat/pipe.png")
    assert any("pipe.png" in notice for notice in open_images(photos).notices)


def test_what_lies_beside_the_parts_is_named(photos: Path) -> None:
    write_folder(photos, {"extra/cat": 1, "validation/cat": 1})
    shutil.copy(photos / "val/cat/0.png", photos / "lost.png")
    told = " | ".join(open_images(photos).notices)
    assert "2 images or folders lie in no class folder" in told
    assert "not read: validation/" in told


def test_a_class_without_images_says_what_is_in_it(photos: Path) -> None:
    (photos / "train/owl/.trash").mkdir(parents=True)
    (photos / "train/owl/clip.mp4").write_bytes(b"")
    with pytest.raises(ConfigError, match=r"owl' holds no images .*clip\.mp4.*\.trash"):
        open_images(photos)


def test_parts_without_classes_are_not_taken_for_classes(tmp_path: Path) -> None:
    write_folder(tmp_path, {"train": 6, "test": 6})
    with pytest.raises(ConfigError, match="has images in test/, train/ but no class folders"):
        open_images(tmp_path)


def test_names_that_are_equal_in_unicode_are_one_class(tmp_path: Path) -> None:
    write_folder(tmp_path, {f"train/{COMPOSED}": 2, "train/bar": 2, f"val/{DECOMPOSED}": 2, "val/bar": 1})
    images = open_images(tmp_path)
    assert images.labels == (COMPOSED, "bar")
    assert images.valid is not None and list(images.valid.labels) == [0, 0, 1]
    facts = ImageClassification().read(tmp_path, SampleCNN().named("sample/cnn")).facts
    # A model may have been trained by a version that kept decomposed names.
    older = {**facts, "labels": [DECOMPOSED if name == COMPOSED else name for name in facts["labels"]]}
    found = ImageClassification().read(tmp_path, SampleCNN().named("sample/cnn"), facts=older)
    assert len(found.valid) == 3


def test_folders_that_are_equal_in_unicode_are_read_together(tmp_path: Path) -> None:
    write_folder(
        tmp_path, {f"train/{COMPOSED}": 2, f"train/{DECOMPOSED}": 3, "train/x": 2, f"val/{COMPOSED}": 1}
    )
    images = open_images(tmp_path)
    assert images.train is not None and sorted(Counter(images.train.labels).values()) == [2, 5]
    assert any("equal in Unicode" in notice for notice in images.notices)


def test_upper_and_lower_case_may_differ_between_parts(tmp_path: Path) -> None:
    write_folder(tmp_path, {"train/Cat": 2, "train/dog": 2, "val/cat": 2, "val/DOG": 1})
    images = open_images(tmp_path)
    assert images.labels == ("Cat", "dog")
    assert images.valid is not None and sorted(images.valid.labels) == [0, 0, 1]
    assert any("2 classes are spelt differently" in notice for notice in images.notices)


def test_classes_that_differ_only_in_case_stay_two_classes_and_are_named(tmp_path: Path) -> None:
    write_folder(tmp_path, {"train/Cat": 2, "train/cat": 2, "val/cat": 2})
    images = open_images(tmp_path)
    assert images.labels == ("Cat", "cat")
    assert images.valid is not None and list(images.valid.labels) == [1, 1]
    assert any("'Cat' and 'cat', which differ only in" in notice for notice in images.notices)
    write_folder(tmp_path, {"val/CAT": 1})
    with pytest.raises(ConfigError, match="CAT' is not a class of the training images"):
        open_images(tmp_path)


def test_an_image_of_two_classes_and_of_two_parts_is_named(photos: Path) -> None:
    shutil.copy(photos / "train/cat/0.png", photos / "train/dog/copy.png")
    shutil.copy(photos / "train/cat/1.png", photos / "val/cat/copy.png")
    told = " | ".join(open_images(photos).notices)
    assert "2 images occur with different labels" in told and "dog/copy.png' are equal" in told
    assert "1 of 7 validation images are also training images" in told and "val/cat/copy.png" in told


def test_equal_endings_are_not_equal_images(tmp_path: Path) -> None:
    """Images of equal size and with an equal end are compared as a whole."""
    for label, colour in (("a", 1), ("b", 2)):
        (tmp_path / label).mkdir()
        for number in range(3):
            values = numpy.full((40, 40, 3), 200, dtype=numpy.uint8)
            values[-1, -1] = colour * 10 + number
            Image.fromarray(values).save(tmp_path / label / f"{number}.bmp")
    assert not any("equal" in notice for notice in open_images(tmp_path).notices)


def test_images_that_are_all_equal_are_not_learnt_from(tmp_path: Path) -> None:
    for label in ("cat", "dog"):
        (tmp_path / label).mkdir()
        for number in range(3):
            Image.new("RGB", (8, 8)).save(tmp_path / label / f"{number}.png")
    with pytest.raises(ConfigError, match=r"all 4 training images in .* are equal, so nothing can be learnt"):
        open_images(tmp_path)
    write_idx(tmp_path / "idx", "train", [0, 0, 0, 0])
    with pytest.raises(ConfigError, match="of only the class '0'"):
        open_images(tmp_path / "idx")


def test_an_error_names_what_was_left_out(tmp_path: Path) -> None:
    write_folder(tmp_path, {"train/cat": 2, "train/.dog": 2, "val/cat": 1})
    with pytest.raises(ConfigError, match=r"of only the class 'cat'.*1 files or folders are hidden.*\.dog"):
        open_images(tmp_path)


def test_empty_files_are_not_called_equal(photos: Path) -> None:
    for place in ("train/cat/empty.png", "train/dog/empty.png"):
        (photos / place).write_bytes(b"")
    assert not any("equal" in notice for notice in open_images(photos).notices)
