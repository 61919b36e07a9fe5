"""The configuration of a search: one YAML file or a few options, checked before anything runs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from denas_core.errors import ConfigError, did_you_mean
from denas_core.registry.loading import Kind
from denas_core.registry.options import explain
from denas_core.system.guarded_yaml import load_mapping, load_yaml, read_text
from denas_core.values.metrics import ANY_METRIC
from denas_core.values.objectives import Budget, Constraint, Objective

from .search_config import SearchConfig

T = TypeVar("T")

COMPONENTS: tuple[Kind, ...] = ("space", "score", "strategy", "probe", "executor")

DEFAULT_EXECUTOR = "builtin/process"

MAY_CHANGE_ON_RESUME = ("budget", "executor", "search.trackers")
"""What ``--resume`` may set anew; the answer does not depend on it."""


class ComponentConfig(BaseModel):
    """A component by name, with its options beside the name."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True, allow_inf_nan=False)

    name: str = Field(description="Id such as cv/cnn, or with a preset such as cv/cnn:imagenet")

    @property
    def options(self) -> dict[str, Any]:
        """The options named by the user."""
        return dict(self.model_extra or {})


class DataTaskConfig(ComponentConfig):
    """The task that reads the data, with its options beside its name."""

    name: str | None = Field(  # type: ignore[assignment]
        default=None,
        description="Id such as cv/image-classification; by default the only one that suits the space",
    )


class DataConfig(BaseModel):
    """The data from which scores take their batches, and the task that reads them."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    path: str = Field(description="Data set: a file or folder that the task can read")
    task: DataTaskConfig = Field(default=DataTaskConfig(), description="Task that reads the data")

    @field_validator("path")
    @classmethod
    def _check_path(cls, value: str) -> str:
        if not value.strip() or "\0" in value:
            raise ValueError(f"data {value!r} is not a name of a file or folder")
        return value

    @field_validator("task", mode="before")
    @classmethod
    def _name_alone(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value


class RunConfig(BaseModel):
    """Everything that a search depends on."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, title="denas search"
    )

    space: ComponentConfig = Field(description="Search space")
    score: ComponentConfig = Field(
        default=ComponentConfig(name="scores/de-score"), description="Score that ranks architectures"
    )
    strategy: ComponentConfig = Field(
        default=ComponentConfig(name="builtin/nsga2"), description="Strategy that proposes architectures"
    )
    probe: ComponentConfig = Field(
        default=ComponentConfig(name="builtin/wall-clock"),
        description="Latency probe, used if a constraint, an objective or a weight asks for latency",
    )
    executor: ComponentConfig = Field(
        default=ComponentConfig(name=DEFAULT_EXECUTOR), description="Where evaluations run"
    )
    data: DataConfig | None = Field(
        default=None,
        description="Data whose samples replace noise in the batches of scores; by default there are none",
    )
    constraints: tuple[str, ...] = Field(
        default=(), description="Bounds such as 'params<=1M', 'latency<=5ms' or 'params<=0.6x'"
    )
    search: SearchConfig = Field(
        default=SearchConfig(), description="How the search knows the metrics of its candidates"
    )
    objectives: tuple[str, ...] = Field(
        default=("score", "params", "flops"),
        description="Axes of the Pareto front, such as 'score', 'latency_ms' or, with the direction, 'max:params'",
    )
    budget: str | int = Field(default="60s", description="Scored candidates (200) or time (60s, 5min, 2h)")
    seed: int = Field(default=0, ge=0, le=2**63 - 1, description="Seed of everything random")
    device: Literal["auto", "cpu", "cuda"] = Field(default="auto", description="Where networks are scored")
    threads: int = Field(
        default=1,
        ge=1,
        le=1024,
        description="Threads torch may use; scores are bit-identical for equal numbers",
    )
    out: str | None = Field(default=None, description="Run directory; by default runs/<space>-<n>")

    @field_validator(*COMPONENTS, mode="before")
    @classmethod
    def _name_alone(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @field_validator("data", mode="before")
    @classmethod
    def _path_alone(cls, value: Any) -> Any:
        return {"path": value} if isinstance(value, str) else value

    @field_validator("constraints")
    @classmethod
    def _check_constraints(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            _parse(partial(Constraint.parse, metrics=ANY_METRIC), text)
        return value

    @field_validator("objectives")
    @classmethod
    def _check_objectives(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        parsed = [_parse(partial(Objective.parse, metrics=ANY_METRIC), text) for text in value]
        # One metric in two directions would put every architecture on the front.
        if not value or len({objective.name for objective in parsed}) < len(value):
            raise ValueError(f"objectives {list(value)!r} must be distinct, and at least one")
        return value

    @field_validator("out")
    @classmethod
    def _check_out(cls, value: str | None) -> str | None:
        if value is not None and (not value.strip() or "\0" in value):
            raise ValueError(f"out {value!r} is not a name of a directory")
        return value

    @field_validator("budget", mode="before")
    @classmethod
    def _check_budget(cls, value: Any) -> Any:
        _parse(Budget.parse, value)
        return value

    def as_dict(self) -> dict[str, Any]:
        """Return the configuration, every default written out, fit for YAML and JSON."""
        document = self.model_dump(mode="json")
        for name in COMPONENTS:
            document[name] = {"name": document[name].pop("name"), **document[name]}
        if document["data"] is None:
            # A run without data has the same configuration as before there were any.
            del document["data"]
        for key, unused in (("machine", None), ("trackers", [])):
            # The same holds for these parts of a search.
            if document["search"][key] == unused:
                del document["search"][key]
        return document

    def as_yaml(self) -> str:
        """Return the configuration as YAML."""
        return as_yaml(self.as_dict())


def make_config(document: Mapping[str, Any], *, origin: str, text: str | None = None) -> RunConfig:
    """Return the checked configuration.

    Args:
        document: Plain values by key.
        origin: What errors name as the source, e.g. the file.
        text: The YAML text, for line numbers in errors.

    Raises:
        ConfigError: one line with the key, the value, the source and the nearest known key.
    """
    try:
        _check_encodable(document, origin)
        return RunConfig.model_validate_json(json.dumps(dict(document), allow_nan=False))
    except ValidationError as error:
        path = error.errors(include_url=False)[0]["loc"]
        line = None if text is None else _line_of(text, [str(part) for part in path])
        where = f"{origin}:{line}" if line else origin
        raise ConfigError(
            explain(error, subject="the configuration", noun="key", model=RunConfig, origin=where)
        ) from error
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigError(
            f"the configuration holds something that is not a plain value ({origin}): {error}"
        ) from error


def as_yaml(document: Mapping[str, Any]) -> str:
    """Return a mapping of plain values as YAML that `read_document` reads as the same."""
    return str(yaml.dump(dict(document), Dumper=_Dumper, sort_keys=False, width=110))


def as_scalar(value: Any) -> str:
    """Return a plain value as it stands in a YAML file: a plain name bare, other text in quotes, the rest as JSON."""
    if not isinstance(value, str):
        return json.dumps(value)
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*(/[A-Za-z0-9_-]+)?(:[A-Za-z0-9_-]+)?", value) and _reads_as(
        value
    ):
        return value
    # Not JSON, whose escapes of characters beyond U+FFFF are two characters in YAML.
    return str(yaml.safe_dump(value, default_style='"', width=float("inf"))).strip()


def is_own_class(name: str) -> bool:
    """Return whether a component's name may be ``module:Class``, as runs have it of objects given in Python."""
    base, colon, _ = name.partition(":")
    return bool(colon) and "/" not in base


def read_document(path: str) -> tuple[dict[str, Any], str]:
    """Return the mapping in a YAML file, and its text.

    Raises:
        ConfigError, StorageError: it cannot be read, or is not a mapping.
    """
    text = read_text(path)
    return load_mapping(text, origin=path), text


def apply_settings(document: Mapping[str, Any], settings: Iterable[str]) -> dict[str, Any]:
    """Return `document` with each ``key=value`` of ``--set`` applied; dots reach into mappings.

    Raises:
        ConfigError: no ``=``, an empty key, or a key inside something that is not a mapping.
    """
    changed = json.loads(json.dumps(dict(document)))
    for setting in settings:
        key, equals, value = setting.partition("=")
        parts = key.strip().split(".")
        if not equals or not all(parts):
            raise ConfigError(f"--set {setting!r} is not of the form key=value, such as space.classes=100")
        place: Any = changed
        for depth, part in enumerate(parts[:-1]):
            inner = place.get(part)
            if inner is None:
                inner = _default_of(part) if depth == 0 else {}
            if isinstance(inner, str) and depth == 0 and part in COMPONENTS:
                inner = {"name": inner}
            if isinstance(inner, str) and parts[: depth + 1] in (["data"], ["data", "task"]):
                inner = {"path" if depth == 0 else "name": inner}
            if not isinstance(inner, dict):
                raise ConfigError(
                    f"--set {setting!r}: {'.'.join(parts[: depth + 1])!r} holds no keys but {inner!r}"
                )
            place[part] = inner
            place = inner
        place[parts[-1]] = load_yaml(value, origin=f"--set {setting}")
    return dict(changed)


def differences(before: Mapping[str, Any], after: Mapping[str, Any], *, prefix: str = "") -> list[str]:
    """Return ``key: old -> new`` for every key that differs, nested ones with dots."""
    found: list[str] = []
    for key in sorted({*before, *after}):
        old, new = before.get(key), after.get(key)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            found += differences(old, new, prefix=f"{prefix}{key}.")
        elif old != new:
            found.append(f"{prefix}{key}: {old!r} -> {new!r}")
    return found


class _Dumper(yaml.SafeDumper):
    """Quotes the texts that YAML 1.2 would read as numbers, and PyYAML, which keeps to 1.1, would not: 1e5."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    is_plain = not re.fullmatch(r"[-+.0-9][-+.0-9A-Za-z]*", text) or _reads_as(text)
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if is_plain else "'")


_Dumper.add_representer(str, _represent_text)


def _reads_as(text: str) -> bool:
    return bool(load_yaml(text, origin="a text") == text)


def _check_encodable(document: Mapping[str, Any], origin: str) -> None:
    """Refuse text that is not valid Unicode, such as the name of a file whose bytes are not UTF-8.

    Raises:
        ConfigError: names the key.
    """
    for key, value in document.items():
        try:
            json.dumps({key: value}, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise ConfigError(
                f"key {str(key)!r} of the configuration holds {value!r}, which is not valid UTF-8 text ({origin})"
            ) from None


def _parse(parse: Callable[[Any], T], value: Any) -> T:
    try:
        return parse(value)
    except ConfigError as error:
        # What pydantic takes for a refusal, and gives the place of.
        raise ValueError(str(error)) from error


def _default_of(key: str) -> dict[str, Any]:
    field = RunConfig.model_fields.get(key)
    if field is None:
        raise ConfigError(f"the configuration has no key {key!r}{did_you_mean(key, RunConfig.model_fields)}")
    if key in COMPONENTS and not field.is_required():
        return {"name": field.default.name}
    return {}


def _line_of(text: str, path: list[str]) -> int | None:
    node: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    line = None
    for part in path:
        if not isinstance(node, yaml.MappingNode):
            break
        for key, value in node.value:
            if key.value == part:
                line, node = key.start_mark.line + 1, value
                break
        else:
            break
    return line
