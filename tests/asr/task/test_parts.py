"""Which part is learnt from and which is measured on."""

from __future__ import annotations

from pathlib import Path

import pytest

from denas_asr.task.parts import evaluation_part, training_part, validation_part
from denas_core.errors import ConfigError


def data(folder: Path, *parts: str) -> Path:
    """Return a folder with some parts, without audio."""
    for part in parts:
        chapter = folder / part / "1" / "1"
        chapter.mkdir(parents=True)
        (chapter / "1-1.trans.txt").write_text("1-1-0000 HELLO\n")
    return folder


def test_the_only_one_that_is_called_so_is_taken(tmp_path: Path) -> None:
    there = data(tmp_path, "train-clean-100", "dev-clean", "test-clean")
    assert training_part(there, "") == "train-clean-100"
    assert validation_part(there, "") == "dev-clean"
    assert evaluation_part(there, "", "dev-clean") == "test-clean"


def test_what_is_named_is_taken_whatever_it_is_called(tmp_path: Path) -> None:
    there = data(tmp_path, "train-clean-100", "dev-clean")
    assert training_part(there, "dev-clean") == validation_part(there, "dev-clean") == "dev-clean"
    assert evaluation_part(there, "train-clean-100", "dev-clean") == "train-clean-100"


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (
            ("train-a", "train-b", "dev"),
            "has no single part to train on, whose name begins with train (several match: train-a, "
            "train-b); choose one with --train",
        ),
        (("dev", "other"), "begins with train (it has dev, other); choose one with --train"),
    ],
)
def test_otherwise_it_has_to_be_named(tmp_path: Path, parts: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        training_part(data(tmp_path, *parts), "")
    assert message in str(caught.value)


def test_an_evaluation_measures_on_the_test_part_or_on_what_training_was_steered_by(tmp_path: Path) -> None:
    there = data(tmp_path, "train", "dev-a", "dev-b")
    assert evaluation_part(there, "", "dev-b") == "dev-b"
    with pytest.raises(
        ConfigError, match=r"begins with test or dev or valid or val .*; choose one with --split"
    ):
        evaluation_part(there, "", "dev-c")
    both = data(there, "test-clean", "test-other")
    assert evaluation_part(both, "", "dev-a") == "dev-a"


def test_data_of_one_part_need_no_name(tmp_path: Path) -> None:
    assert evaluation_part(data(tmp_path / "one", "anything"), "", "dev") is None
    assert evaluation_part(tmp_path / "one" / "anything", "", "dev") is None
    manifest = tmp_path / "all.csv"
    manifest.write_text("ID,wav,wrd\n")
    assert evaluation_part(manifest, "", "dev") is None


def test_data_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no folder or manifest '.*nowhere'"):
        training_part(tmp_path / "nowhere", "")
