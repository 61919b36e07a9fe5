"""Read texts with spans of characters, as spaCy, doccano, Label Studio and Prodigy write them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from denas_core.errors import ConfigError, safe_repr
from denas_nlp.tables.records import Records
from denas_nlp.tables.values import column_value
from denas_nlp.text.faults import damage_notices

from .columns import STARTS, TagColumns, listed
from .label_names import tag_of
from .spans import OUTSIDE
from .tagged import Found, Tagged
from .words import word_bounds

_ENDS = ("end", "end_offset", "stop", "to")
_LABELS = ("label", "labels", "tag", "type", "entity", "entity_type", "class")
_TEXTS = ("text", "word", "surface")


class CharSpan(NamedTuple):
    """Characters of a text with a label: the first one, the end (exclusive), and the label."""

    start: int
    end: int
    label: str


class _Fault(Exception):
    """What is wrong with the spans of a text."""


def read_char_spans(records: Records, columns: TagColumns, names: Sequence[str]) -> Found:
    """Return texts as sentences of words with tags in IOB2.

    A word ends where a span begins or ends. White space at the ends of a span does not count.

    Raises:
        ConfigError: there is no text with a list of spans, or many texts have wrong spans.
    """
    found: list[Tagged] = []
    damaged = list(records.damaged)
    unlabelled: list[str] = []
    inside = 0
    for row in records.rows:
        text, value = column_value(row.values, columns.tokens), column_value(row.values, columns.tags)
        if value is None or value == "":
            unlabelled.append(row.place)
            continue
        try:
            spans = spans_in(text, value, names)
            sentence = tagged_words(text, spans)
        except _Fault as fault:
            damaged.append(f"{row.place} ({fault})")
            continue
        whole = word_bounds(text)
        edges = {edge for bounds in whole for edge in bounds}
        inside += sum(not {span.start, span.end} <= edges for span in spans)
        found.append(sentence)
    if not found and not damaged:
        raise ConfigError(f"{str(records.path)!r} has no text with spans in {columns.tags!r}")
    damage = damage_notices(
        records.path,
        damaged,
        len(found) + len(damaged),
        items="texts",
        way_out="give spans of characters of the text, none of which overlap",
    )
    notices = [
        f"{records.path.name!r} is {records.format}: texts from {columns.tokens!r}, spans of characters from "
        f"{columns.tags!r}"
    ]
    if unlabelled:
        notices.append(
            f"{len(unlabelled)} texts of {records.path.name!r} have no list of spans and are left out: "
            f"{unlabelled[0]}{', ...' if len(unlabelled) > 1 else ''}"
        )
    if inside:
        notices.append(
            f"{inside} spans of {records.path.name!r} begin or end inside of a word, which is divided there"
        )
    return found, (*records.notices, *notices, *damage)


def tagged_words(text: str, spans: Sequence[CharSpan]) -> Tagged:
    """Return the words of a text with tags in IOB2; a word ends where a span begins or ends."""
    bounds = word_bounds(text, (edge for span in spans for edge in (span.start, span.end)))
    if not bounds:
        raise _Fault("a text without a word")
    tags = []
    for start, _ in bounds:
        span = next((each for each in spans if each.start <= start < each.end), None)
        if span is None:
            tags.append(OUTSIDE)
        else:
            tags.append(f"{'B' if start == span.start else 'I'}-{span.label}")
    return Tagged(tuple(text[start:end] for start, end in bounds), tuple(tags))


def spans_in(text: Any, value: Any, names: Sequence[str]) -> list[CharSpan]:
    """Return the spans of a text in order.

    Raises:
        _Fault: a span is outside of the text, has no label, or overlaps another one.
    """
    if not isinstance(text, str) or not text.strip():
        raise _Fault("no text")
    spans = sorted({_span(text, each, names) for each in _each(value)})
    for one, other in itertools.pairwise(spans):
        if other.start < one.end:
            raise _Fault(f"spans {_shown(one)} and {_shown(other)} overlap")
    return spans


def _each(value: Any) -> Iterator[Any]:
    """Yield the spans of any of the forms, each as an object or a list."""
    if isinstance(value, Mapping):
        # A list for each part of the spans.
        columns = {key: column for key, column in value.items() if isinstance(column, list)}
        for parts in zip(*columns.values(), strict=False):
            yield dict(zip(columns, parts, strict=True))
        return
    found = listed(value)
    if found is None:
        raise _Fault(f"{safe_repr(value, 30)} is not a list of spans")
    if found and isinstance(found[0], Mapping) and "result" in found[0]:
        # Label Studio has a list for each person who annotated the text; the first one that was not cancelled counts.
        done = [each for each in found if isinstance(each, Mapping) and not each.get("was_cancelled")]
        found = [each for each in (done[0].get("result") or ()) if _has_place(each)] if done else []
    yield from found


def _has_place(each: Any) -> bool:
    """Return whether a result of Label Studio is a span; others are choices for the whole text, or relations."""
    inner = each.get("value") if isinstance(each, Mapping) else None
    return isinstance(inner, Mapping) and any(key in inner for key in STARTS)


def _span(text: str, given: Any, names: Sequence[str]) -> CharSpan:
    quote = None
    if isinstance(given, Mapping):
        inner = given["value"] if isinstance(given.get("value"), Mapping) else given
        start, end, label = (_first(inner, keys) for keys in (STARTS, _ENDS, _LABELS))
        quote = _first(inner, _TEXTS)
    elif isinstance(given, (list, tuple)) and len(given) > 2:
        start, end, label = given[:3]
    else:
        raise _Fault(f"{safe_repr(given, 40)} is not a span of a start, an end and a label")
    if isinstance(label, list):
        if len(label) != 1:
            raise _Fault(f"a span has {len(label)} labels")
        label = label[0]
    name = tag_of(label, names)
    if not name:
        raise _Fault("a span without a label" if label is None else f"the label {label!r} has no name")
    first, stop = _place(start), _place(end)
    if not 0 <= first < stop <= len(text):
        raise _Fault(
            f"span {first}-{stop} {safe_repr(name, 30)} is outside of a text of {len(text)} characters"
        )
    there = text[first:stop]
    if isinstance(quote, str) and quote.split() != there.split():
        raise _Fault(f"the text has {safe_repr(there, 30)} at {first}-{stop}, and not {safe_repr(quote, 30)}")
    if not there.strip():
        raise _Fault(f"span {first}-{stop} {safe_repr(name, 30)} has no word")
    first += len(there) - len(there.lstrip())
    return CharSpan(first, first + len(there.strip()), name)


def _first(values: Mapping[str, Any], keys: Sequence[str]) -> Any:
    return next((values[key] for key in keys if values.get(key) is not None), None)


def _place(value: Any) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _Fault(f"{safe_repr(value, 30)} is not the place of a character")
    return value


def _shown(span: CharSpan) -> str:
    return f"{span.start}-{span.end} {safe_repr(span.label, 30)}"
