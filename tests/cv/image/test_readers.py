"""Readers of image data sets: what they read, what they recognise, and what they say of damage."""

from __future__ import annotations

import gzip
import pickle
import shutil
import struct
from collections import Counter
from pathlib import Path

import pytest
import torch

from denas_core.errors import ConfigError
from denas_cv.image.formats import open_images
from denas_cv.image.images import Images, ImageSource
from tests.cv.image_files import (
    NAMES,
    REAL,
    needs_real_data,
    pixels,
    write_binary_batches,
    write_folder,
    write_idx,
    write_python_batches,
)


def parts(images: Images) -> tuple[ImageSource, ImageSource]:
    assert images.train is not None
    assert images.valid is not None
    return images.train, images.valid


def refused(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        open_images(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("fine", [False, True], ids=["cifar10", "cifar100"])
def test_python_and_binary_batches_hold_the_same(tmp_path: Path, fine: bool) -> None:
    python = ("train", "test") if fine else ("data_batch_1", "test_batch")
    write_python_batches(tmp_path / "python", files=python, fine=fine)
    write_binary_batches(tmp_path / "binary", files=[f"{name}.bin" for name in python], fine=fine)
    expected = [torch.from_numpy(pixels(6, seed=seed)) for seed in (0, 1)]
    for form in ("python", "binary"):
        images = open_images(tmp_path / form)
        assert (images.labels, images.kind) == (NAMES, f"cifar{100 if fine else 10}-{form}")
        for source, wanted in zip(parts(images), expected, strict=True):
            assert list(source.labels) == [0, 1, 2, 0, 1, 2]
            assert all(torch.equal(source.image(i), wanted[i]) for i in range(6))


def test_batches_are_joined_in_order_and_a_missing_one_is_told(tmp_path: Path) -> None:
    write_python_batches(tmp_path, files=("data_batch_2", "data_batch_1", "data_batch_5", "test_batch"))
    images = open_images(tmp_path)
    train, _ = parts(images)
    assert len(train) == 18
    assert torch.equal(train.image(0), torch.from_numpy(pixels(6, seed=1))[0])
    assert "lacks data_batch_3, data_batch_4" in images.notices[0]


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("place", ["", "raw"])
def test_idx_files_are_read_compressed_or_not(tmp_path: Path, compressed: bool, place: str) -> None:
    write_idx(tmp_path / place, "train", [4, 0, 4, 9], compressed=compressed)
    write_idx(tmp_path / place, "t10k", [9, 0], compressed=compressed)
    images = open_images(tmp_path)
    train, valid = parts(images)
    # Not every number occurs; those that do are the classes.
    assert images.labels == ("0", "4", "9")
    assert [images.labels[label] for label in train.labels] == ["4", "0", "4", "9"]
    assert [int(train.image(i).max()) for i in range(4)] == [4, 0, 4, 9]
    assert train.image(0).shape == (1, 28, 28)
    assert [images.labels[label] for label in valid.labels] == ["9", "0"]


def test_a_test_set_alone_is_split_by_class_the_same_way_each_time(tmp_path: Path) -> None:
    write_idx(tmp_path, "t10k", [1] * 40 + [7] * 20)
    first, second = open_images(tmp_path, valid_share=0.25), open_images(tmp_path, valid_share=0.25)
    train, valid = parts(first)
    assert Counter(train.labels) == {0: 30, 1: 15}
    assert Counter(valid.labels) == {0: 10, 1: 5}
    assert "15 of its 60 images" in first.notices[0]
    assert list(parts(second)[1].labels) == list(valid.labels)


def test_a_split_sets_the_same_files_aside_and_none_twice(tmp_path: Path) -> None:
    write_folder(tmp_path, {"cat": 10, "dog": 5, "owl": 1})
    one, two = (open_images(tmp_path, valid_share=0.2) for _ in range(2))
    train, valid = parts(one)
    kept, aside = ([f"{Path(p).parent.name}/{Path(p).name}" for p in s.paths] for s in (train, valid))  # type: ignore[attr-defined]
    assert Counter(name[:3] for name in aside) == {"cat": 2, "dog": 1}
    assert not set(kept) & set(aside)
    assert len(kept) + len(aside) == 16
    assert parts(two)[1].paths == valid.paths  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["val", "valid", "validation", "test", "Val"])
def test_folders_of_images_are_classes_by_name(tmp_path: Path, name: str) -> None:
    write_folder(tmp_path, {"train/dog": 2, "train/cat": 3, f"{name}/dog": 1, f"{name}/cat": 2})
    images = open_images(tmp_path)
    train, valid = parts(images)
    assert (images.labels, images.kind) == (("cat", "dog"), "image-folder")
    assert list(train.labels) == [0, 0, 0, 1, 1]
    assert list(valid.labels) == [0, 0, 1]
    assert train.image(0).shape == (3, 9, 12)


def test_a_training_is_steered_by_val_and_an_evaluation_looks_at_test(tmp_path: Path) -> None:
    write_folder(tmp_path, {f"{part}/{c}": 2 for part in ("train", "val", "test") for c in ("a", "b")})
    for to_evaluate, name in ((False, "val"), (True, "test")):
        images = open_images(tmp_path, to_evaluate=to_evaluate)
        assert f"/{name}/" in images.valid.paths[0]  # type: ignore[union-attr]
        assert f"evaluated on {name}/" in images.notices


def test_the_folder_may_be_the_one_above(tmp_path: Path) -> None:
    write_python_batches(tmp_path / "a" / "cifar-10-batches-py")
    write_idx(tmp_path / "b" / "MNIST" / "raw", "train", [0, 1, 0, 1])
    write_folder(tmp_path / "c" / "images", {"train/x": 1, "train/y": 1, "val/x": 1})
    write_folder(tmp_path / "d" / "images", {"x": 2, "y": 2})
    kinds = [open_images(tmp_path / name).kind for name in "abcd"]
    assert kinds == ["cifar10-python", "mnist-idx", "image-folder", "image-folder"]
    assert open_images(tmp_path / "d").labels == ("x", "y")


def test_nested_folders_belong_to_their_class_and_leftovers_are_left_out(tmp_path: Path) -> None:
    write_folder(tmp_path, {"train/cat/day": 2, "train/cat/night": 1, "train/dog": 1, "val/cat": 1})
    (tmp_path / "train" / "dog" / "notes.txt").write_text("good dog")
    (tmp_path / "train" / "dog" / ".DS_Store").write_text("")
    (tmp_path / "train" / ".cache").mkdir()
    shutil.copy(tmp_path / "train" / "dog" / "0.png", tmp_path / "train" / "lost.png")
    images = open_images(tmp_path)
    assert Counter(parts(images)[0].labels) == {0: 3, 1: 1}
    told = " | ".join(images.notices)
    assert "1 images or folders lie in no class folder, such as" in told
    assert "1 files are not images by their name, such as" in told
    assert "notes.txt" in told
    assert "no images of 1 classes, such as 'dog'" in told
    assert "2 files or folders are hidden or left behind by an archive, such as" in told


def test_an_unknown_folder_says_what_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "readme.md").write_text("nothing here")
    text = refused(tmp_path)
    for wanted in ("cifar10-python", "data_batch_1", "train.bin", "t10k-", "train/CLASS", str(tmp_path)):
        assert wanted in text
    assert "there is no data set" in refused(tmp_path / "gone")
    assert "is a file" in refused(tmp_path / "readme.md")


def test_archives_are_to_be_unpacked(tmp_path: Path) -> None:
    (tmp_path / "images.tar.gz").write_bytes(b"")
    for path in (tmp_path, tmp_path / "images.tar.gz"):
        assert "images.tar.gz' is an archive, which cannot be read; unpack it" in refused(path)


def test_two_data_sets_side_by_side_are_not_chosen_from(tmp_path: Path) -> None:
    write_python_batches(tmp_path / "py")
    write_binary_batches(tmp_path / "bin")
    assert "contains several data sets" in refused(tmp_path)
    assert open_images(tmp_path / "bin").kind == "cifar10-binary"


def test_folders_that_cannot_be_learnt_from_are_named(tmp_path: Path) -> None:
    one = write_folder(tmp_path / "one", {"train/cat": 2, "val/cat": 1})
    assert "of only the class 'cat'" in refused(one)
    empty = write_folder(tmp_path / "empty", {"train/cat": 1, "train/dog": 0, "val/cat": 1})
    assert "empty/train/dog' holds no images" in refused(empty)
    foreign = write_folder(tmp_path / "foreign", {"train/cat": 1, "train/dog": 1, "val/owl": 1})
    assert "foreign/val/owl' is not a class of the training images" in refused(foreign)
    measured = write_folder(tmp_path / "measured", {"val/cat": 1, "val/dog": 1})
    assert "no training images" in refused(measured)
    assert len(parts_of_evaluation(measured)) == 2
    single = write_folder(tmp_path / "single", {"cat": 1, "dog": 1})
    assert "every class has only one image" in refused(single)


def parts_of_evaluation(path: Path) -> ImageSource:
    images = open_images(path, to_evaluate=True)
    assert images.train is None
    assert images.valid is not None
    return images.valid


def test_damaged_batches_for_python_are_named(tmp_path: Path) -> None:
    write_python_batches(tmp_path)
    path = tmp_path / "data_batch_1"
    whole = path.read_bytes()
    path.write_bytes(whole[:-2000])
    assert "data_batch_1' is damaged" in refused(tmp_path)
    content = {"data": pixels(6).reshape(6, -1), "labels": [0, 1, 2, 0, 1, 2]}
    for change, text in (
        ({"labels": [0, 1, 2, 0, 1, 3]}, "gives image 5 the label 3, but there are 3 classes"),
        ({"labels": [0, 1, 2, 0, 1, -1]}, "gives image 5 the label -1"),
        ({"labels": [0, 1]}, "2 labels for data of shape (6, 3072)"),
        ({"labels": ["cat"] * 6}, "is damaged"),
        ({"data": content["data"][:, :100]}, "6 labels for data of shape (6, 100)"),
        ({"data": content["data"].astype("float32")}, "does not hold bytes"),
        ({"data": None}, "lacks 'data' or 'labels'"),
    ):
        path.write_bytes(pickle.dumps({**content, **change}, protocol=2))
        assert text in refused(tmp_path)
        assert "data_batch_1" in refused(tmp_path)
    path.write_bytes(whole)
    (tmp_path / "batches.meta").unlink()
    assert "lacks 'batches.meta', which names the classes" in refused(tmp_path)


def test_damaged_binary_batches_are_named(tmp_path: Path) -> None:
    write_binary_batches(tmp_path)
    path = tmp_path / "test_batch.bin"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    assert "test_batch.bin' has 18437 bytes, which is not a multiple of the 3073" in refused(tmp_path)
    path.write_bytes(bytes([9]) + whole[1:])
    assert "test_batch.bin' gives image 0 the label 9, but there are 3 classes" in refused(tmp_path)


def test_damaged_idx_files_are_named(tmp_path: Path) -> None:
    write_idx(tmp_path, "train", [0, 1, 0, 1])
    images, labels = (tmp_path / f"train-{name}-ubyte.gz" for name in ("images-idx3", "labels-idx1"))
    whole = gzip.decompress(images.read_bytes())

    def says(content: bytes) -> str:
        images.write_bytes(content)
        text = refused(tmp_path)
        assert "train-images-idx3-ubyte.gz" in text
        return text

    assert "begins with the number 2049" in says(gzip.compress(struct.pack(">I", 2049) + whole[4:]))
    assert "should hold 4 x 28 x 28 bytes, but has 3135" in says(gzip.compress(whole[:-1]))
    assert "but has more" in says(gzip.compress(whole + b"x"))
    # A header of more images than there is memory for.
    assert "but has 3136" in says(gzip.compress(struct.pack(">4I", 2051, *[0xFFFFFFFF] * 3) + whole[16:]))
    assert "is damaged" in says(gzip.compress(whole)[:-20])
    assert "is not an idx file" in says(b"no gzip at all")
    assert "is not an idx file" in says(gzip.compress(b"abc"))
    images.write_bytes(gzip.compress(whole))
    labels.write_bytes(gzip.compress(struct.pack(">2I", 2049, 3) + bytes(3)))
    assert "4 images" in refused(tmp_path)
    assert "3 labels" in refused(tmp_path)
    labels.unlink()
    assert "lacks 'train-labels-idx1-ubyte'" in refused(tmp_path)


def test_a_digit_that_no_training_image_has_is_named(tmp_path: Path) -> None:
    write_idx(tmp_path, "train", [0, 1, 0, 1])
    write_idx(tmp_path, "t10k", [0, 200])
    text = refused(tmp_path)
    assert "t10k-labels-idx1-ubyte.gz' gives image 1 the label 200, which no training image has" in text


@needs_real_data
def test_the_real_cifar_reads_alike_in_both_forms() -> None:
    python = open_images(REAL / "cifar10-python")
    binary = open_images(REAL / "cifar10-binary")
    assert python.labels == binary.labels
    assert python.labels[:3] == NAMES
    train, valid = parts(python)
    assert (len(train), len(valid)) == (5000, 1000)
    assert [python.labels[n] for n in train.labels[:4]] == ["frog", "truck", "truck", "deer"]
    assert [python.labels[n] for n in valid.labels[:4]] == ["cat", "ship", "ship", "airplane"]
    others, _ = parts(binary)
    assert all(torch.equal(train.image(i), others.image(i)) for i in range(400))


@needs_real_data
def test_the_real_mnist_has_its_classes() -> None:
    images = open_images(REAL / "mnist-t10k-idx")
    counts = Counter(label for source in parts(images) for label in source.labels)
    assert [counts[n] for n in range(10)] == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@needs_real_data
def test_the_real_folder_of_images_shows_what_the_batches_show(tmp_path: Path) -> None:
    import tarfile

    with tarfile.open(REAL / "cifar10-imagefolder" / "cifar10-images.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    images = open_images(tmp_path)
    train, valid = parts(images)
    assert (len(train), len(valid)) == (5000, 1000)
    _, batch = parts(open_images(REAL / "cifar10-python"))
    # The same images, in the order of their class; JPEG loses a little.
    cats = [i for i, label in enumerate(batch.labels) if label == 3][:5]
    first = list(valid.labels).index(3)
    for place, index in enumerate(cats):
        assert (valid.image(first + place).float() - batch.image(index).float()).abs().mean() < 12


def test_the_content_and_not_the_name_says_whether_idx_files_are_compressed(tmp_path: Path) -> None:
    write_idx(tmp_path, "train", [0, 1, 0, 1])
    for part in ("images-idx3", "labels-idx1"):
        path = tmp_path / f"train-{part}-ubyte.gz"
        path.rename(tmp_path / f"train-{part}-ubyte")
    assert open_images(tmp_path).labels == ("0", "1")
    for part in ("images-idx3", "labels-idx1"):
        path = tmp_path / f"train-{part}-ubyte"
        (tmp_path / f"train-{part}-ubyte.gz").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    assert open_images(tmp_path).labels == ("0", "1")


def write_emnist(folder: Path, name: str, labels: list[int]) -> None:
    """Write EMNIST files: images on their side, with a white first row that is stored as a column."""
    image = bytes(255 if place % 28 == 0 else 0 for place in range(784))
    for part in ("train", "test"):
        start = folder / f"emnist-{name}-{part}"
        # The last pixel says which image it is, as equal images are not learnt from.
        images = b"".join(image[:-1] + bytes([number + 1]) for number in range(len(labels)))
        Path(f"{start}-images-idx3-ubyte.gz").write_bytes(
            gzip.compress(struct.pack(">4I", 2051, len(labels), 28, 28) + images)
        )
        Path(f"{start}-labels-idx1-ubyte.gz").write_bytes(
            gzip.compress(struct.pack(">2I", 2049, len(labels)) + bytes(labels))
        )


def test_emnist_is_read_upright_with_its_characters(tmp_path: Path) -> None:
    write_emnist(tmp_path, "letters", [1, 2, 1, 2])
    (tmp_path / "emnist-letters-mapping.txt").write_text("1 65 97\n2 66 98\n\n")
    images = open_images(tmp_path)
    train, valid = parts(images)
    assert images.labels == ("Aa", "Bb")
    assert (len(train), len(valid)) == (4, 4)
    picture = train.image(0)[0]
    assert picture[0].unique().tolist() == [255] and int(picture[1:].max()) == 1


def test_one_of_several_sets_of_emnist_is_named_as_an_option(tmp_path: Path) -> None:
    write_emnist(tmp_path, "letters", [1, 2, 1, 2])
    write_emnist(tmp_path, "digits", [7, 8, 9, 7])
    assert "emnist-digits" in refused(tmp_path) and "task.subset" in refused(tmp_path)
    assert open_images(tmp_path, subset="digits").labels == ("7", "8", "9")
    assert open_images(tmp_path, subset="letters").labels == ("1", "2")


@pytest.mark.parametrize("ending", ["jfif", "jpe", "JPG", "webp", "bmp", "tif"])
def test_images_of_every_ending_are_listed(tmp_path: Path, ending: str) -> None:
    write_folder(tmp_path, {"a": 3, "b": 3})
    for path in list(tmp_path.rglob("*.png")):
        path.rename(path.with_suffix(f".{ending}"))
    assert len(parts(open_images(tmp_path))[0]) == 4
