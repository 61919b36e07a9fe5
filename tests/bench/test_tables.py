"""Tables are read whatever their form, and refused in one line where they cannot rank anything."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from denas_bench.autoformer.space import AutoFormer
from denas_bench.flexibert.space import FlexiBERT
from denas_bench.nasbench201.space import NASBench201
from denas_bench.tc_resnet.space import TCResNet
from denas_core import SearchSpace
from denas_core.agreement.table import read_table
from denas_core.errors import ConfigError
from denas_core.registry.options import make_component

from .published import published

Rows = list[dict[str, Any]]


def cells() -> NASBench201:
    return NASBench201().named("bench/nasbench201")


def rows_of_cells(count: int = 12) -> Rows:
    space, rng = cells(), random.Random(0)
    return [
        {
            "index": i,
            "arch_str": space.format(space.sample(rng)),
            "cifar10": 90 + i / 7,
            "cifar100": 60 + i / 3,
        }
        for i in range(count)
    ]


def written(tmp_path: Path, rows: Sequence[dict[str, Any]], name: str = "accuracy.csv") -> Path:
    path = tmp_path / name
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter="\t" if name.endswith(".tsv") else ",")
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.mark.parametrize("name", ["accuracy.csv", "accuracy.tsv"])
def test_the_column_of_architectures_is_found(name: str, tmp_path: Path) -> None:
    rows = rows_of_cells()
    table = read_table(written(tmp_path, rows, name), cells(), targets=["cifar100", "cifar10"])
    assert [row.text for row in table.rows] == [row["arch_str"] for row in rows]
    assert table.rows[3].targets == {"cifar100": 61.0, "cifar10": pytest.approx(90 + 3 / 7)}
    assert table.rows[3].origin == f"{name}:5"


def test_a_column_of_any_name_is_found_even_where_its_first_row_is_wrong(tmp_path: Path) -> None:
    rows = [{"cell": row["arch_str"], "acc": row["cifar10"]} for row in rows_of_cells()]
    rows[0]["cell"] = "|a~0|"
    with pytest.raises(ConfigError, match=r"no operation 'a' \(accuracy.csv:2\)"):
        read_table(written(tmp_path, rows), cells(), targets=["acc"])
    table = read_table(written(tmp_path, rows[1:]), cells(), targets=["acc"])
    assert table.rows[0].text == rows[1]["cell"]


def test_knobs_may_be_columns(tmp_path: Path) -> None:
    space, rng = TCResNet().named("bench/tc-resnet"), random.Random(0)
    architectures = list({space.sample(rng): None for _ in range(12)})
    names = [knob.name for knob in space.knobs()]
    rows = [
        {**{name: arch.values.get(name, "") for name in names}, "acc": i / 7}
        for i, arch in enumerate(architectures)
    ]
    table = read_table(written(tmp_path, rows), space, targets=["acc"])
    assert table.architectures() == architectures


def test_networks_of_a_json_file_may_be_trained_twice(tmp_path: Path) -> None:
    layers = [["SA", "SDP", 2, 512, 1], ["LT", "DFT", 4, 512, 3]]
    other = [["DSC", 5, 2, 512, 1], ["LT", "DFT", 4, 512, 3]]
    entries = [
        {
            "id": i,
            "hidden_size": 128,
            "layers": layers if i % 2 else other,
            "scores": {"glue": 60 + i / 9, "cola": 0.0},
        }
        for i in range(10)
    ]
    path = tmp_path / "glue.json"
    path.write_text(json.dumps({"columns": ["layers"], "architectures": entries}), encoding="utf-8")
    table = read_table(path, FlexiBERT().named("bench/flexibert"), targets=["glue"])
    assert len(table.rows) == 10 and len(table.architectures()) == 1
    assert json.loads(table.rows[0].text) == {"hidden_size": 128, "layers": other}
    assert table.rows[9].origin == "glue.json, entry 10"


Change = Callable[[Rows], Any]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda rows: rows[4].update(arch_str="|none~0|"),
            r"has not the six operations .*\(accuracy.csv:6\)",
        ),
        (
            lambda rows: [row.update(arch_str="none") for row in rows[4:7]],
            "accuracy.csv:6 must hold a mapping.*; 2 more of 12 cannot be read",
        ),
        (lambda rows: rows.append(dict(rows[3])), r"occurs twice \(accuracy.csv:5 and accuracy.csv:14\)"),
        (
            lambda rows: rows.append({**rows[3], "index": 99}),
            r"occurs twice \(accuracy.csv:5 and accuracy.csv:14\)",
        ),
        (
            lambda rows: rows.append({**rows[3], "cifar10": 3}),
            r"occurs twice \(accuracy.csv:5 and accuracy.csv:14\)",
        ),
        (
            lambda rows: rows[5].update(cifar10=""),
            r"'cifar10' is '', which is not a finite number \(accuracy.csv:7\)",
        ),
        (lambda rows: rows[5].update(cifar10="nan"), "'cifar10' is 'nan', which is not a finite number"),
        (lambda rows: [row.update(cifar10=10.0) for row in rows], "'cifar10' is 10 in all 12 rows"),
        (lambda rows: rows.__delitem__(slice(9, None)), "has 9 rows; a correlation needs at least 10"),
        (lambda rows: rows.clear() or rows.append({"arch_str": "", "cifar10": 1}), "has 1 rows"),
        (lambda rows: [row.pop("arch_str") for row in rows], "no column of accuracy.csv holds architectures"),
        (
            lambda rows: [row.update(cifar=row.pop("cifar10")) for row in rows],
            "no column 'cifar10'; did you mean 'cifar100'",
        ),
    ],
)
def test_a_table_that_cannot_rank_is_refused_in_one_line(
    change: Change, message: str, tmp_path: Path
) -> None:
    rows = rows_of_cells()
    change(rows)
    with pytest.raises(ConfigError, match=message) as caught:
        read_table(written(tmp_path, rows), cells(), targets=["cifar10"])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("targets", "column", "message"),
    [
        (["cifar-100"], "", "has no column 'cifar-100'; did you mean 'cifar100'"),
        (["accuracy"], "", "has no column 'accuracy'; columns of numbers: index, cifar10, cifar100"),
        ([], "", "no target is named; accuracy.csv has these columns of numbers: index, cifar10, cifar100"),
        (["cifar10"], "arch", "no column 'arch' of architectures; did you mean 'arch_str'"),
        (["arch_str"], "", "'arch_str' is '.*', which is not a finite number"),
    ],
)
def test_a_name_that_is_no_column_is_refused_with_those_that_are(
    targets: list[str], column: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=message):
        read_table(written(tmp_path, rows_of_cells()), cells(), targets=targets, column=column)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t.csv", "", "has no rows"),
        ("t.csv", "arch,acc\n", "has no rows"),
        ("t.csv", "arch,acc,acc\nx,1,2\n", "has two columns with the name 'acc'"),
        ("t.csv", "arch,acc\nx,1,2\n", r"does not have the 2 columns of the table \(t.csv:2\)"),
        ("t.csv", 'arch,acc\n"x,1\n', "is not a CSV file"),
        ("t.json", "{", "is not a JSON file"),
        ("t.json", '{"a": 1}', "must hold exactly one list of objects"),
    ],
)
def test_a_file_that_is_no_table_is_refused(name: str, text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        read_table(path, cells(), targets=["acc"])


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read .*missing.csv': No such file or directory"):
        read_table(tmp_path / "missing.csv", cells(), targets=["acc"])


@pytest.mark.parametrize(
    ("name", "space", "target", "rows", "networks"),
    [
        ("nasbench201/accuracy.csv", cells, "imagenet16_test_200", 1000, 1000),
        ("flexibert/bert_glue.json", lambda: FlexiBERT().named("bench/flexibert"), "cola", 250, 188),
        ("speech_kws/tc_resnet.csv", lambda: TCResNet().named("bench/tc-resnet"), "test_acc", 40, 40),
        (
            "autoformer/vitbench_main.csv",
            lambda: make_component(AutoFormer, dict(AutoFormer.presets["plain"]), id="bench/autoformer"),
            "c100_kd_acc",
            100,
            100,
        ),
    ],
)
def test_the_published_tables_are_read(
    name: str, space: Callable[[], SearchSpace], target: str, rows: int, networks: int
) -> None:
    table = read_table(published(name), space(), targets=[target])
    assert (len(table.rows), len(table.architectures())) == (rows, networks)
