from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from denas_core.errors import ConfigError, StorageError
from denas_core.system.guarded_yaml import MAX_BYTES, load_mapping, load_yaml, read_text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("true", True),
        ("False", False),
        ("tRue", "tRue"),
        ("~", None),
        ("null", None),
        ("", None),
        ("1e5", 1e5),
        ("1E-3", 1e-3),
        (".5", 0.5),
        ("-2.", -2.0),
        ("012", "012"),
        ("0x1F", "0x1F"),
        ("0b1", "0b1"),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("-0", 0),
        ("+7", 7),
        ("2024-01-02", "2024-01-02"),
        ("-.inf", -math.inf),
        ("<<", "<<"),
        ("=", "="),
        ("'12'", "12"),
        ("! 12", 12),
        ('{"a": [1, 2.0, "b", null, true]}', {"a": [1, 2.0, "b", None, True]}),
    ],
)
def test_scalars_mean_what_they_mean_in_yaml_1_2_and_json(text: str, value: Any) -> None:
    read = load_yaml(text, origin="f")
    assert (read, type(read)) == (value, type(value))


def test_a_mapping_key_that_is_written_no_or_012_is_text() -> None:
    assert load_mapping("no: 1\n012: 2\n1:30: 3", origin="f") == {"no": 1, "012": 2, "1:30": 3}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3", "f: key 'a' stands twice (line 3)"),
        ("x:\n  - {a: 1, a: 1}", "f: key 'a' stands twice (line 2)"),
        ("a: 1\n7: 2", "f: key 7 must be text; quote it (line 2)"),
        ("? [1, 2]\n: 3", "f: key [1, 2] must be text; quote it (line 1)"),
        (
            "a: !!python/object:os.system x",
            "f:1: tags such as 'tag:yaml.org,2002:python/object:os.system' are not",
        ),
        ("a:\n  !x y", "f:2: tags such as '!x' are not allowed"),
        ("a: &b 1", "f:1: anchors and aliases are not allowed; write the value out"),
        ("a: &a [x]\nb: *a", "f:1: anchors and aliases are not allowed"),
        ("a: *b", "f:1: anchors and aliases are not allowed"),
        ("a: [1", "f is not valid YAML: while parsing a flow sequence"),
        ("a: 1\n---\nb: 2", "f is not valid YAML: expected a single document"),
        ("\ta: 1", "f is not valid YAML: while scanning for the next token"),
        ("1" * 5000, "f is not valid YAML: Exceeds the limit (4300 digits)"),
        ("a: \ud800", "f is not valid YAML"),
        (b"a: \xff", "f is not valid YAML"),
        (b"a: \x00", "f is not valid YAML"),
        ("[" * 33, "f:1: nested deeper than 32"),
        ("a: [" + "1," * 100_001 + "]", "f holds more than 100000 items"),
        ("a: " + "x" * MAX_BYTES, "f is larger than 1 MB"),
        ("é" * (MAX_BYTES // 2 + 1), "f is larger than 1 MB"),
    ],
)
def test_bombs_and_surprises_are_refused_with_their_place(text: str | bytes, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_yaml(text, origin="f")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["[" * 300_000, "{a: " * 200_000, "- " * 300_000, "? " * 300_000])
def test_deep_nesting_is_refused_before_it_is_built(text: str) -> None:
    with pytest.raises(ConfigError, match="nested deeper than 32"):
        load_yaml(text, origin="f")


def test_nesting_of_32_is_read() -> None:
    value = load_yaml("[" * 32 + "]" * 32, origin="f")
    for _ in range(31):
        (value,) = value
    assert value == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", "nothing"),
        ("# only a comment", "nothing"),
        ("[1]", "list [1]"),
        ("run", "str 'run'"),
        ("3", "int 3"),
    ],
)
def test_a_document_that_is_no_mapping_is_refused(text: str, shown: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_mapping(text, origin="run.yaml")
    assert str(caught.value) == f"run.yaml must hold a mapping (key: value), not {shown}"


def test_what_is_shown_of_a_long_document_is_cut() -> None:
    with pytest.raises(ConfigError) as caught:
        load_mapping("x" * 10_000, origin="run.yaml")
    assert len(str(caught.value)) < 200


_YAML_PIECES = st.sampled_from(
    [
        *"[]{}:,-?&*!|>%@`'\"#\n \t",
        "a",
        "1",
        "1e5",
        "012",
        "~",
        "<<",
        "!!int ",
        "!!map",
        "---\n",
        "...",
        "\ufeff",
        ".inf",
    ]
)


@settings(max_examples=500, deadline=None)
@given(st.one_of(st.text(), st.binary(), st.lists(_YAML_PIECES, max_size=40).map("".join)))
@example("0b")
@example("._")
@example("+.")
@example("!!float x")
def test_any_text_is_read_or_refused_as_a_configuration(text: str | bytes) -> None:
    try:
        value = load_yaml(text, origin="f")
    except ConfigError as error:
        assert "\n" not in str(error)
    else:
        assert _is_plain(value)


def test_a_file_is_read_as_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_bytes("name: é".encode())
    assert read_text(path) == "name: é"


def test_files_that_cannot_be_read_are_refused_with_their_name(tmp_path: Path) -> None:
    (tmp_path / "latin1").write_bytes(b"a: \xe9")
    (tmp_path / "large").write_bytes(b"x" * (MAX_BYTES + 1))
    for name, message in {
        "latin1": "is not UTF-8 text: ",
        "large": "is larger than 1 MB",
        "missing": "No such file or directory",
        ".": "Is a directory",
        "nul\0": "null byte",
    }.items():
        with pytest.raises(ConfigError) as caught:
            read_text(tmp_path / name)
        assert message in str(caught.value)
        assert repr(str(tmp_path / name)) in str(caught.value)


def test_a_file_below_a_file_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match=r"cannot read .*Not a directory"):
        read_text(tmp_path / "file" / "run.yaml")


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(inner) for key, inner in value.items())
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return value is None or type(value) in (str, int, float, bool)


def test_aliases_repeat_short_values_where_they_are_allowed() -> None:
    text = "rate: &rate 16000\nfeatures: {rate: *rate}\n"
    assert load_mapping(text, origin="f", value_aliases=True) == {"rate": 16000, "features": {"rate": 16000}}
    for refused in ("a: &a [x]\nb: *a", "a: &a {x: 1}\nb: *a", f"a: &a {'x' * 101}\nb: *a"):
        with pytest.raises(ConfigError, match="f:1: anchors and aliases are not allowed"):
            load_mapping(refused, origin="f", value_aliases=True)
