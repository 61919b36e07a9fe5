"""Read rows with a paragraph, a question and its answers, as the library datasets and tables have them."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from typing import Any

from denas_core.errors import ConfigError
from denas_nlp.tables.names import known, plain_name
from denas_nlp.tables.records import Records
from denas_nlp.text.faults import damage_notices

from .questions import Paragraph, Question, QuestionReader

CONTEXTS = ("context", "paragraph", "passage")
QUESTIONS = ("question", "query")
ANSWERS = ("answers", "answer", "answer text", "text")
STARTS = ("answer start", "start", "start position")


def has_rows(records: Records) -> bool:
    """Return whether a table has columns of paragraphs, questions and answers."""
    columns = records.columns
    return None not in (known(columns, CONTEXTS), known(columns, QUESTIONS), known(columns, ANSWERS))


def paragraphs_of_rows(records: Records) -> tuple[list[Paragraph], tuple[str, ...]]:
    """Return the paragraphs of a table with their questions, and notices about faults.

    Raises:
        ConfigError: a column is missing, many rows are damaged, or no question has an answer.
    """
    columns, path = records.columns, records.path
    if not has_rows(records):
        listed = ", ".join(map(repr, columns[:10]))
        raise ConfigError(
            f"{str(path)!r} is not laid out as SQuAD: it has the columns {listed}; looked for 'context', 'question' "
            "and 'answers'"
        )
    context, question, answer = (known(columns, names) for names in (CONTEXTS, QUESTIONS, ANSWERS))
    id, impossible = known(columns, ("id", "qid")), known(columns, ("is impossible",))
    start = known([column for column in columns if column != answer], STARTS)
    damage = damage_notices(
        path, records.damaged, len(records.rows) + len(records.damaged), way_out="download it again"
    )
    reader = QuestionReader()
    found: dict[str, list[Question]] = {}
    for record in records.rows:
        values = record.values
        text = values.get(str(context))
        entry = {
            "id": values.get(id) if id else record.place,
            "question": values.get(str(question)),
            "answers": _answers(values.get(str(answer)), values.get(start) if start else None),
            "is_impossible": str(values.get(impossible)).lower() == "true" if impossible else False,
        }
        one = reader.read(entry, text)
        if one is not None:
            found.setdefault(str(text), []).append(one)
    paragraphs = [Paragraph(text=text, questions=tuple(each)) for text, each in found.items()]
    return paragraphs, (*records.notices, *damage, *reader.notices(path, paragraphs))


def _answers(value: Any, start: Any) -> Any:
    """Return the answers of a row as a list of texts with positions; None if it is not known how they are given."""
    if isinstance(value, str) and value.strip()[:1] in ("{", "["):
        value = _literal(value)
        if value is None:
            return None
    if isinstance(value, Mapping):
        by_name = {plain_name(str(name)): each for name, each in value.items()}
        texts, starts = by_name.get("text"), by_name.get("answer start")
        if not isinstance(texts, list):
            return [{"text": texts, "answer_start": starts}]
        if not isinstance(starts, list) or len(starts) != len(texts):
            return None
        return [{"text": text, "answer_start": place} for text, place in zip(texts, starts, strict=True)]
    if isinstance(value, list):
        return value
    if value is None or value == "":
        return []
    if isinstance(value, str):
        place = int(start) if isinstance(start, (int, float)) or re.fullmatch(r"\d+", str(start)) else start
        return [{"text": value, "answer_start": place}]
    return None


def _literal(text: str) -> Any:
    """Return what a cell of CSV spells in JSON or Python; arrays as NumPy prints them are lists."""
    lists = re.sub(r"array\((\[.*?\])(?:,\s*dtype=\w+)?\)", r"\1", text, flags=re.DOTALL)
    for parse in (json.loads, ast.literal_eval):
        try:
            return parse(lists)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    return None
