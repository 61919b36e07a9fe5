"""Which file is to learn from and which to measure on."""

from __future__ import annotations

from pathlib import Path

import pytest

from denas_core.errors import ConfigError
from denas_nlp.text.files import Files
from denas_nlp.text.parts import Parts, held_out, read_parts

FILES = Files(kind="TOY", items="rows", train="train.tsv", valid="dev.tsv", folder="Toy")


def lines(path: Path) -> tuple[list[str], tuple[str, ...]]:
    return path.read_text().split(), (f"read {path.name}",)


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"{name.replace('_', '-')}.tsv").write_text(text)
    return folder


def read(path: Path, *, to_evaluate: bool = False) -> Parts[str]:
    return read_parts(path, FILES, lines, to_evaluate=to_evaluate, valid_share=0.2)


def refused(path: Path, *, to_evaluate: bool = False) -> str:
    with pytest.raises(ConfigError) as caught:
        read(path, to_evaluate=to_evaluate)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_usual_names_are_read_in_the_folder_or_the_one_above(tmp_path: Path) -> None:
    write(tmp_path / "Toy", train="a b", dev="c", test="d")
    for path in (tmp_path, tmp_path / "Toy"):
        assert read(path) == Parts(train=["a", "b"], valid=["c"], notices=("read train.tsv", "read dev.tsv"))
        assert read(path, to_evaluate=True) == Parts(train=None, valid=["c"], notices=("read dev.tsv",))


def test_other_names_are_read_where_one_file_alone_says_which_part_it_is(tmp_path: Path) -> None:
    write(tmp_path, train_small_v2="a b", toy_validation="c", trained="x", notes="y")
    parts = read(tmp_path)
    assert (parts.train, parts.valid) == (["a", "b"], ["c"])


def test_the_usual_name_comes_before_others_and_several_others_are_an_error(tmp_path: Path) -> None:
    write(tmp_path, train_a="a", dev="c")
    assert read(tmp_path).train == ["a"]
    write(tmp_path, train_b="b")
    message = refused(tmp_path)
    assert "several files that could be 'train.tsv': 'train-a.tsv', 'train-b.tsv'; rename one" in message
    # An evaluation learns nothing.
    assert read(tmp_path, to_evaluate=True).valid == ["c"]
    write(tmp_path, train="t")
    assert read(tmp_path).train == ["t"]


def test_without_a_file_to_measure_on_the_same_items_are_set_aside_each_time(tmp_path: Path) -> None:
    write(tmp_path, train=" ".join("abcdefghij"))
    parts = read(tmp_path)
    assert parts.train is not None
    assert sorted([*parts.train, *parts.valid]) == list("abcdefghij")
    assert len(parts.valid) == 2
    assert parts.notices[-1] == (
        "there is no validation file (dev.tsv): 2 of the 10 rows of 'train.tsv', always the same ones, are used for "
        "validation (task.valid_share)"
    )
    assert read(tmp_path, to_evaluate=True).valid == parts.valid
    assert read(tmp_path, to_evaluate=True).train is None


def test_a_file_is_learnt_from_or_measured_whole_unless_its_name_says_train(tmp_path: Path) -> None:
    write(tmp_path, rows="a b c d e", train="a b c d e")
    learnt = read(tmp_path / "rows.tsv")
    assert (len(learnt.train or ()), len(learnt.valid)) == (4, 1)
    assert read(tmp_path / "rows.tsv", to_evaluate=True).valid == list("abcde")
    assert read(tmp_path / "train.tsv", to_evaluate=True).valid == read(tmp_path / "train.tsv").valid


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    message = refused(tmp_path / "nowhere")
    assert "nowhere'; give a file of TOY, or the folder with train.tsv and dev.tsv" in message
    assert "holds no TOY; looked for train.tsv and dev.tsv" in refused(tmp_path)
    assert "holds no TOY" in refused(tmp_path, to_evaluate=True)
    write(tmp_path, dev="c")
    assert "has 'dev.tsv' for validation, but no training file (train.tsv)" in refused(tmp_path)


@pytest.mark.parametrize(
    ("count", "share", "aside"), [(2, 0.1, 1), (10, 0.5, 5), (3, 0.5, 2), (100, 0.1, 10)]
)
def test_at_least_one_item_is_set_aside_and_one_is_left(count: int, share: float, aside: int) -> None:
    learnt, measured = held_out(range(count), share, path=Path("x"))
    assert len(measured) == aside
    assert sorted([*learnt, *measured]) == list(range(count))


def test_a_single_item_cannot_be_parted() -> None:
    with pytest.raises(ConfigError, match="'x' has too little data to use a part of it"):
        held_out(["a"], 0.1, path=Path("x"))


def test_files_that_are_not_read_are_named_and_hidden_ones_are_not_read(tmp_path: Path) -> None:
    write(tmp_path, train="a b", dev="c", notes="x", test="d")
    for name in (".train.tsv", "._dev.tsv"):
        (tmp_path / name).write_text("hidden")
    (tmp_path / "__MACOSX").mkdir()
    write(tmp_path / "__MACOSX", train="x")
    parts = read(tmp_path)
    assert (parts.train, parts.valid) == (["a", "b"], ["c"])
    assert parts.notices[0] == f"1 other files of {tmp_path.name!r} are not read: 'notes.tsv'"


def test_pieces_of_a_table_are_one_part(tmp_path: Path) -> None:
    write(tmp_path / "data", **{"train-00000-of-00002": "a b", "train-00001-of-00002": "c", "dev": "d"})
    assert read(tmp_path).train == ["a", "b", "c"]


def test_an_evaluation_uses_the_test_file_if_there_is_no_other(tmp_path: Path) -> None:
    write(tmp_path, train="a b c d e", test="t u")
    assert read(tmp_path, to_evaluate=True).valid == ["t", "u"]
    assert len(read(tmp_path).valid) == 1


def test_notices_of_files_are_added_to_an_error(tmp_path: Path) -> None:
    write(tmp_path, train="a")
    assert "too little data to use a part of it for validation (note: read train.tsv)" in refused(tmp_path)


def test_a_share_has_every_stratum_in_it() -> None:
    items = ["a"] * 20 + ["b"] * 10 + ["c"]
    learnt, measured = held_out(items, 0.1, path=Path("x"), stratum=lambda item: item)
    assert measured == ["a", "a", "b"] and len(learnt) == 28
