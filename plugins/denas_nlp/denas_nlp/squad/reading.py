"""Read questions about paragraphs from a file of any known format."""

from __future__ import annotations

from pathlib import Path

from denas_core.errors import ConfigError
from denas_nlp.tables.json_rows import parsed_json
from denas_nlp.tables.read import read_records
from denas_nlp.text.content import PARQUET, as_utf8, read_file

from .articles import has_articles, paragraphs_of
from .questions import Paragraph
from .rows import paragraphs_of_rows


def read_questions(path: Path) -> tuple[list[Paragraph], tuple[str, ...]]:
    """Return the paragraphs of a file with their questions, and notices about faults.

    The file has articles as in SQuAD, or it is a table with a row for each question.

    Raises:
        ConfigError: the file cannot be read, has another format, or has many damaged questions.
    """
    if path.is_dir():
        return paragraphs_of_rows(read_records(path))
    content = read_file(path)
    if not content.startswith(PARQUET):
        content = as_utf8(content, path)
        if not content.strip():
            raise ConfigError(f"{str(path)!r} is empty; give questions as in SQuAD")
        if content.lstrip()[:1] in (b"{", b"[") and not _is_lines(content):
            document = parsed_json(path, content)
            if has_articles(document) or not _is_table(document):
                return paragraphs_of(document, path)
    return paragraphs_of_rows(read_records(path))


def _is_lines(content: bytes) -> bool:
    """Return whether the content is JSON lines: its second line begins another object."""
    begun = content.lstrip().split(b"\n", 2)
    return len(begun) > 1 and begun[0].rstrip().endswith(b"}") and begun[1].lstrip().startswith(b"{")


def _is_table(document: object) -> bool:
    if isinstance(document, list):
        return bool(document) and all(isinstance(each, dict) and "question" in each for each in document[:1])
    if not isinstance(document, dict):
        return False
    data = document.get("data")
    is_list = isinstance(data, list) and bool(data) and isinstance(data[0], dict) and "question" in data[0]
    return is_list or ("question" in document and "context" in document)
