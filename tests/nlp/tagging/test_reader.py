"""Sentences with tags are the same, whatever form a file has them in, and wrong data are named in one line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from denas_core.errors import ConfigError
from denas_nlp.classification.task import TextClassification
from denas_nlp.tagging.reader import TagReader
from denas_nlp.tagging.tagged import Tagged
from denas_nlp.tagging.task import TokenClassification

SENTENCES = [
    Tagged(("José", "saw", "New", "York", "."), ("B-PER", "O", "B-LOC", "I-LOC", "O")),
    Tagged(("null", "saw", "Anna"), ("O", "O", "B-PER")),
]
NAMES = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
TEXTS = ["José saw New York.", "null saw Anna"]
SPANS = [[[0, 4, "PER"], [9, 17, "LOC"]], [[9, 13, "PER"]]]


def rows_of(head: str, row: str, *, between: str | None = None) -> str:
    """Return a table with a token in each row, by the form of a row."""
    lines = [head]
    for number, sentence in enumerate(SENTENCES, start=1):
        for place, (token, tag) in enumerate(zip(*sentence, strict=True)):
            once = "" if place else f"Sentence: {number}"
            lines.append(row.format(once=once, number=number, token=token, tag=tag))
        lines += [] if between is None or number == len(SENTENCES) else [between]
    return "\n".join(lines) + "\n"


def lines_of(rows: Sequence[Any]) -> str:
    """Return objects as JSON lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def spans_as(start: str, end: str, label: str, **more: Any) -> list[list[dict[str, Any]]]:
    """Return the spans as objects with these keys."""
    return [[{start: first, end: stop, label: name, **more} for first, stop, name in each] for each in SPANS]


FORMS: dict[str, str] = {
    "kaggle": rows_of("Sentence #,Word,POS,Tag", "{once},{token},NN,{tag}"),
    "numbered": rows_of("tag,word,sentence_idx,lemma", "{tag},{token},{number}.0,x"),
    "empty lines": rows_of("word\ttag", "{token}\t{tag}", between=""),
    "empty rows": rows_of("Token;Label", "{token};{tag}", between=";"),
    "conll with a header": rows_of("token ner", "{token} {tag}", between=""),
    "lists": lines_of([{"id": 1, "tokens": each.tokens, "ner_tags": each.tags} for each in SENTENCES]),
    "texts of words": "text,labels\n"
    + "".join(f"{' '.join(each.tokens)},{' '.join(each.tags)}\n" for each in SENTENCES),
    "texts of lists": "Sentence #,Sentence,POS,Tag\n"
    + "".join(f'Sentence: 1,{" ".join(each.tokens)},"{["NN"]}","{list(each.tags)}"\n' for each in SENTENCES),
    "doccano": lines_of([{"text": text, "label": spans} for text, spans in zip(TEXTS, SPANS, strict=True)]),
    "doccano with relations": lines_of(
        [
            {"text": text, "entities": spans, "relations": []}
            for text, spans in zip(TEXTS, spans_as("start_offset", "end_offset", "label", id=7), strict=True)
        ]
    ),
    "prodigy": lines_of(
        [
            {"text": text, "tokens": [{"text": "José", "id": 0}], "spans": spans}
            for text, spans in zip(TEXTS, spans_as("start", "end", "label"), strict=True)
        ]
    ),
    "label studio": json.dumps(
        [
            {
                "id": 3,
                "data": {"text": text},
                "annotations": [
                    {"was_cancelled": True, "result": []},
                    {
                        "result": [
                            {"value": {**span, "labels": [span["labels"]]}, "type": "labels"} for span in spans
                        ]
                        + [{"value": {"choices": ["fine"]}, "type": "choices"}]
                    },
                ],
            }
            for text, spans in zip(TEXTS, spans_as("start", "end", "labels"), strict=True)
        ],
        indent=1,
    ),
    "spans in columns": lines_of(
        [
            {"text": text, "entities": {"start": [a for a, _, _ in each], "end": [b for _, b, _ in each]}
             | {"label": [c for _, _, c in each]}}
            for text, each in zip(TEXTS, SPANS, strict=True)
        ]
    ),
    "spacy": json.dumps([[text, {"entities": spans}] for text, spans in zip(TEXTS, SPANS, strict=True)]),
    "spacy on lines": json.dumps(
        [[text, {"entities": spans, "links": {}}] for text, spans in zip(TEXTS, SPANS, strict=True)],
        indent=4, ensure_ascii=False,
    ),
    "spacy in json lines": lines_of(
        [[text, {"entities": spans}] for text, spans in zip(TEXTS, SPANS, strict=True)]
    ),
    "spacy with classes": json.dumps(
        {
            "classes": ["PER", "LOC"],
            "annotations": [[text, {"entities": spans}] for text, spans in zip(TEXTS, SPANS, strict=True)],
        }
    ),
    "spans in cells": "text,label\n"
    + "".join(
        f'{text},"{json.dumps(spans).replace(chr(34), 2 * chr(34))}"\n'
        for text, spans in zip(TEXTS, SPANS, strict=True)
    ),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_every_form_has_the_same_sentences(form: str, tmp_path: Path) -> None:
    path = tmp_path / "data.txt"
    path.write_text(FORMS[form], encoding="utf-8")
    sentences, notices = TagReader().read(path)
    assert sentences == SENTENCES
    assert len(notices) == (form != "conll with a header")
    if form != "conll with a header":
        path = path.rename(
            tmp_path / ("data.csv" if "," in FORMS[form] and "{" not in FORMS[form] else "data.jsonl")
        )
        found = TokenClassification().describe(path)
        assert found is not None and found.exact and found.labels == {"PER": 2, "LOC": 1}
        assert TextClassification().describe(path) is None


def test_a_table_in_latin_1_is_read_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "ner_dataset.csv"
    path.write_bytes(FORMS["kaggle"].encode("latin-1"))
    sentences, notices = TagReader().read(path)
    assert sentences == SENTENCES
    assert "it is read as Windows-1252 (Latin-1)" in notices[0]
    assert notices[1] == (
        "'ner_dataset.csv' is CSV with commas with a token in each row: tokens from 'Word', tags from 'Tag', sentences "
        "by 'Sentence #'"
    )


def test_columns_that_the_user_names_come_before_usual_ones(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text(rows_of("nr,wort,tag,art", "{number},{token},NN,{tag}"))
    with pytest.raises(
        ConfigError, match=r"has the columns 'nr', 'wort', 'tag', 'art', and no tokens with tags"
    ):
        TagReader(text="wort", label="art").read(path)
    assert TagReader(text="wort", label="art", sentence="nr").read(path)[0] == SENTENCES
    with pytest.raises(ConfigError, match=r"has no column 'nrr' \(task\.sentence\).*did you mean 'nr'"):
        TagReader(text="wort", label="art", sentence="nrr").read(path)


def test_numbers_get_names_from_the_user_from_a_file_and_from_the_data(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    rows = [{"tokens": each.tokens, "tags": [NAMES.index(tag) for tag in each.tags]} for each in SENTENCES]
    path.write_text(lines_of(rows))
    with pytest.raises(
        ConfigError, match=r"are numbers whose names are not in the file; name them .*task\.names=O"
    ):
        TagReader().read(path)
    for name, content in (
        ("names.txt", "\n".join(NAMES)),
        ("names.json", json.dumps(NAMES)),
        ("label2id.json", json.dumps({name: place for place, name in enumerate(NAMES)})),
        ("id2label.json", json.dumps(dict(enumerate(NAMES)))),
    ):
        (tmp_path / name).write_text(content)
        assert TagReader(names=str(tmp_path / name)).read(path)[0] == SENTENCES
    assert TagReader(names=",".join(NAMES)).read(path)[0] == SENTENCES
    with pytest.raises(ConfigError, match="the tag 3 has no name: the names are those of 0 to 2"):
        TagReader(names="O,B-PER,I-PER").read(path)
    (tmp_path / "odd.json").write_text('{"O": 0, "B-PER": 2}')
    with pytest.raises(ConfigError, match=r"does not say the names of tags \(task\.names\)"):
        TagReader(names=str(tmp_path / "odd.json")).read(path)
    token_rows = tmp_path / "rows.csv"
    lines = ["sentence_id,token,label"]
    lines += [f"{n},{a},{NAMES.index(b)}" for n, s in enumerate(SENTENCES) for a, b in zip(*s, strict=True)]
    token_rows.write_text("\n".join(lines))
    assert TagReader(names=",".join(NAMES)).read(token_rows)[0] == SENTENCES
    with pytest.raises(ConfigError, match="are numbers whose names are not in the file"):
        TagReader().read(token_rows)


def test_data_sets_of_the_library_have_the_names_in_them(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    features = datasets.Features(
        tokens=datasets.Sequence(datasets.Value("string")),
        ner_tags=datasets.Sequence(datasets.ClassLabel(names=NAMES)),
    )
    columns = {
        "tokens": [list(each.tokens) for each in SENTENCES],
        "ner_tags": [[NAMES.index(tag) for tag in each.tags] for each in SENTENCES],
    }
    data = datasets.Dataset.from_dict(columns, features=features)
    data.save_to_disk(str(tmp_path / "saved"))
    data.to_parquet(str(tmp_path / "data.parquet"))
    for name in ("saved", "data.parquet"):
        assert TagReader().read(tmp_path / name)[0] == SENTENCES


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (lines_of([{"tokens": ["a", "b"], "tags": ["O"]}] * 2), r"line 1 \(2 tokens, but 1 tags\)"),
        (lines_of([{"tokens": ["a", " "], "tags": ["O", "B-X"]}] * 2), r"line 1 \(an empty token\)"),
        (lines_of([{"tokens": ["a", "b"], "tags": ["O", None]}] * 2), r"line 1 \(an empty tag\)"),
        (lines_of([{"text": "a town", "label": [[2, 9, "LOC"]]}] * 2), "span 2-9 'LOC' is outside of a text of 6 char"),
        (lines_of([{"text": "a town", "label": [[-1, 2, "LOC"]]}] * 2), "span -1-2 'LOC' is outside of a text"),
        (lines_of([{"text": "a town", "label": [[2, 2, "LOC"]]}] * 2), "span 2-2 'LOC' is outside of a text"),
        (lines_of([{"text": "a town", "label": [[1, 2, "LOC"]]}] * 2), "span 1-2 'LOC' has no word"),
        (lines_of([{"text": "a town", "label": [[0, 3, "X"], [2, 6, "Y"]]}] * 2), "spans 0-3 'X' and 2-6 'Y' overlap"),
        (lines_of([{"text": "a town", "label": [{"start": 0, "end": 1}]}] * 2), "a span without a label"),
        (lines_of([{"text": "a town", "label": [{"start": 0, "end": 1, "labels": ["A", "B"]}]}] * 2),
         "a span has 2 labels"),
        (lines_of([{"text": "a town", "label": [{"start": 0, "end": 1, "label": "A", "text": "b"}]}] * 2),
         "the text has 'a' at 0-1, and not 'b'"),
        (lines_of([{"text": "a town", "label": [{"start": "x", "end": 1, "label": "A"}]}] * 2),
         "is not the place of a char"),
        ("Sentence #,Word,Tag\n1,a,O\n2,,B-X\n", r"line 3 \(no token\)"),
        ("Sentence #,Word,Tag\n1,a,O\n2,b,\n", r"line 3 \(an empty tag\)"),
        ("word,tag\na,O\nb,B-X\n", "no tokens with tags: give lists"),
    ],
)  # fmt: skip
def test_wrong_data_are_named_in_one_line(content: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text(content)
    with pytest.raises(ConfigError, match=reason) as caught:
        TagReader().read(path)
    assert "\n" not in str(caught.value)
    if "no tokens with tags" not in reason:
        with pytest.raises(ConfigError, match=reason):
            TokenClassification().describe(path)


def test_few_wrong_texts_are_left_out_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    rows: list[dict[str, Any]] = [{"text": "an old town", "label": [[2, 8, "X"], [2, 8, "X"]]}] * 20
    path.write_text(
        lines_of([*rows, {"text": "a town", "label": [[0, 99, "X"]]}, {"text": "no spans", "label": None}])
    )
    sentences, notices = TagReader().read(path)
    # White space at the ends of a span does not count, and the word is divided where the span ends.
    assert sentences == [Tagged(("an", "old", "t", "own"), ("O", "B-X", "I-X", "O"))] * 20
    assert notices[1:] == (
        "1 texts of 'data.jsonl' have no list of spans and are left out: line 22",
        "20 spans of 'data.jsonl' begin or end inside of a word, which is divided there",
        "1 of the 21 texts of 'data.jsonl' are damaged and were left out: line 21 (span 0-99 'X' is outside of a text "
        "of 6 characters)",
    )


def test_texts_that_an_annotator_skipped_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "annotations.json"
    pairs: list[Any] = [["an old town", {"entities": [[3, 6, "X"]]}]] * 20
    for document in ([None, *pairs], {"classes": ["X"] * 21, "annotations": [None, *pairs]}):
        path.write_text(json.dumps(document))
        sentences, notices = TagReader().read(path)
        assert sentences == [Tagged(("an", "old", "town"), ("O", "B-X", "O"))] * 20
        assert "row 1 (None is not an object)" in " ".join(notices)


def test_wrong_spans_of_spacy_are_named(tmp_path: Path) -> None:
    path = tmp_path / "train.json"
    path.write_text(json.dumps([["a town", {"entities": [[0, 3, "X"], [2, 6, "Y"]]}]] * 2))
    with pytest.raises(ConfigError, match=r"row 1 \(spans 0-3 'X' and 2-6 'Y' overlap\)"):
        TagReader().read(path)


def test_lines_that_begin_like_json_are_lines_of_tokens(tmp_path: Path) -> None:
    path = tmp_path / "train.txt"
    path.write_text("[[ O\ntown B-X\n\n[ O\n[ O\n")
    assert [each.tokens for each in TagReader().read(path)[0]] == [("[[", "town"), ("[", "[")]


def test_tables_of_labels_are_not_taken_for_tags(tmp_path: Path) -> None:
    path = tmp_path / "reviews.csv"
    for content in (
        "text,label\n" + "a fine film,pos\na bad one,neg\n" * 20,
        "text,label\n" + "fine,pos\nbad,neg\n" * 20,
        "sentence,tags\n" + "a fine film,long fine\nbad,neg\n" * 20,
        "word,label\n" + "\n".join(f"word{n},{n % 2}" for n in range(40)),
    ):
        path.write_text(content)
        assert TokenClassification().describe(path) is None
