"""Reading YAML and JSON safely: a text is checked for dangerous or surprising content before any object is built."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from denas_core.errors import ConfigError, StorageError

MAX_BYTES = 1_000_000
MAX_DEPTH = 32
MAX_EVENTS = 100_000
LONGEST_ALIASED = 100


def load_mapping(text: str | bytes, *, origin: str, value_aliases: bool = False) -> dict[str, Any]:
    """Return the mapping that a YAML or JSON text contains.

    Args:
        text: The text.
        origin: The source of the text, for errors.
        value_aliases: Whether short single values may have anchors, so that aliases can repeat them.

    Raises:
        ConfigError: the text is not UTF-8, is larger than 1 MB, is nested deeper than 32 levels, contains tags, anchors
            or repeated keys, or is not a mapping.
    """
    document = load_yaml(text, origin=origin, value_aliases=value_aliases)
    if not isinstance(document, dict):
        raise ConfigError(f"{origin} must hold a mapping (key: value), not {_shown(document)}")
    return document


def load_yaml(text: str | bytes, *, origin: str, value_aliases: bool = False) -> Any:
    """Return the content of a YAML or JSON text: mappings with text keys, lists, text, numbers, booleans or None.

    See `load_mapping` for the arguments.

    Raises:
        ConfigError: see `load_mapping`.
    """
    raw = text.encode(errors="surrogatepass") if isinstance(text, str) else text
    if len(raw) > MAX_BYTES:
        raise ConfigError(f"{origin} is larger than 1 MB")
    try:
        _scan_events(raw, origin, value_aliases=value_aliases)
        document = yaml.load(raw, Loader=_StrictLoader)  # noqa: S506  (a SafeLoader, after the scan)
    except _Refused as error:
        raise ConfigError(f"{origin}: {error}") from error
    except ConfigError:
        raise
    # PyYAML raises many types of exceptions on malformed values, such as AttributeError and KeyError.
    except Exception as error:
        raise ConfigError(f"{origin} is not valid YAML: {_one_line(error)}") from error
    return document


def read_text(path: str | Path) -> str:
    """Return the text of a file of at most 1 MB.

    Raises:
        ConfigError: the file does not exist, is a directory, is too large, or is not UTF-8 text.
        StorageError: the file system refuses.
    """
    try:
        with Path(path).open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except (FileNotFoundError, IsADirectoryError, ValueError) as error:
        raise ConfigError(f"cannot read {str(path)!r}: {_one_line(error)}") from error
    except OSError as error:
        raise StorageError(f"cannot read {str(path)!r}: {_one_line(error)}") from error
    if len(raw) > MAX_BYTES:
        raise ConfigError(f"{str(path)!r} is larger than 1 MB")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{str(path)!r} is not UTF-8 text: {error.reason} at byte {error.start}") from error


class _Refused(Exception):
    """An error within the loader, which does not know the source of its text."""


class _StrictLoader(yaml.SafeLoader):
    """A safe loader that refuses repeated keys and keys that are not text, and reads dates as text."""


def _construct_mapping(loader: _StrictLoader, node: yaml.MappingNode) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            raise _Refused(f"key {key!r} must be text; quote it (line {key_node.start_mark.line + 1})")
        if key in mapping:
            raise _Refused(f"key {key!r} stands twice (line {key_node.start_mark.line + 1})")
        mapping[key] = loader.construct_object(value_node, deep=True)
    return mapping


_StrictLoader.add_constructor("tag:yaml.org,2002:map", _construct_mapping)
# These are the rules of YAML 1.2. In YAML 1.1, `no` is False, `1e5` is text, `012` is ten and `1:30` is ninety.
_StrictLoader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?(0|[1-9][0-9]*)", list("-+0123456789")),
    ("float", r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+.0123456789")),
    ("float", r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", list("-+.")),
):
    _StrictLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first)


def _scan_events(raw: bytes, origin: str, *, value_aliases: bool) -> None:
    depth = 0
    # Deep nesting would crash libyaml. The parser in Python is used, and the depth is checked before it is exhausted.
    for count, event in enumerate(yaml.parse(raw, Loader=yaml.SafeLoader)):
        line = event.start_mark.line + 1 if event.start_mark else 0
        tag = getattr(event, "tag", None)
        if count > MAX_EVENTS:
            raise ConfigError(f"{origin} holds more than {MAX_EVENTS} items")
        if not (value_aliases and _is_small(event)) and getattr(event, "anchor", None):
            raise ConfigError(f"{origin}:{line}: anchors and aliases are not allowed; write the value out")
        if tag and tag != "!":
            raise ConfigError(f"{origin}:{line}: tags such as {tag!r} are not allowed")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise ConfigError(f"{origin}:{line}: nested deeper than {MAX_DEPTH}")


def _is_small(event: yaml.Event) -> bool:
    """Return whether an event is an alias or a short value, so that aliases cannot make a document much larger.

    An alias can only repeat a short value, because anchors on anything larger are refused.
    """
    return isinstance(event, yaml.AliasEvent) or (
        isinstance(event, yaml.ScalarEvent) and len(event.value) <= LONGEST_ALIASED
    )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


def _shown(value: Any) -> str:
    return "nothing" if value is None else f"{type(value).__name__} {value!r}"[:80]
