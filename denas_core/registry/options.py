"""Options of components: pydantic checks the fields of a component as if they came from JSON."""

from __future__ import annotations

import dataclasses
import inspect
import json
import math
import typing
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from denas_core.contracts.component import Component
from denas_core.errors import ConfigError, PluginError, did_you_mean
from denas_core.isolation.guard import guarded
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.text import describe_error, one_line

RESERVED = ("id", "named", "options")
"""Members of every component, which a subclass must not redefine."""

TAKEN = ("name", "presets", "direction")
"""Names that have another meaning in configurations or on classes. No option can have one of them."""


def options_model(cls: type[Any]) -> type[BaseModel]:
    """Return a pydantic model of the options of a component class. It refuses unknown names, other types and NaN.

    Raises:
        PluginError: an option has no default, or pydantic cannot check its type.
    """
    fields: dict[str, Any] = {}
    try:
        with guarded():
            _check_class(cls)
            hints = typing.get_type_hints(cls)
            for field in dataclasses.fields(cls):
                facts = field.metadata
                bounds = {bound: facts[bound] for bound in ("ge", "le", "gt") if facts.get(bound) is not None}
                default = _default(cls, field)
                fields[field.name] = (
                    hints[field.name],
                    Field(description=facts.get("help"), **default, **bounds),
                )
            config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, protected_namespaces=())
            return create_model(cls.__name__, __config__=config, **fields)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise PluginError(
            f"the options of {cls.__module__}:{cls.__qualname__} cannot be read: {describe_error(error)}"
        ) from error


def _check_class(cls: type[Any]) -> None:
    for name in RESERVED:
        if issubclass(cls, Component) and inspect.getattr_static(cls, name) is not vars(Component)[name]:
            raise TypeError(f"{name!r} belongs to every component; call it something else")
    for name, annotation in inspect.get_annotations(cls).items():
        if name not in cls.__dataclass_fields__ and "ClassVar" not in str(annotation):
            raise TypeError(
                f"{name!r} is not an option yet: put @dataclasses.dataclass(kw_only=True) above the class"
            )


def _default(cls: type[Any], field: dataclasses.Field[Any]) -> dict[str, Any]:
    is_pydantics = field.name.startswith("model_") and hasattr(BaseModel, field.name)
    if field.name in TAKEN or field.name.startswith("_") or is_pydantics:
        raise TypeError(f"an option cannot be called {field.name!r}, which has a meaning already; rename it")
    for base in cls.__mro__[1:]:
        options = {one.name for one in dataclasses.fields(base)} if dataclasses.is_dataclass(base) else ()
        if field.name in vars(base) and field.name not in options:
            raise TypeError(
                f"an option cannot be called {field.name!r}: it would hide {base.__name__}.{field.name}"
            )
    if field.default_factory is not dataclasses.MISSING:
        default, found = field.default_factory(), {"default_factory": field.default_factory}
    elif field.default is not dataclasses.MISSING:
        default, found = field.default, {"default": field.default}
    else:
        raise TypeError(f"option {field.name!r} has no default")
    try:
        json.dumps(default, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise TypeError(f"the default of option {field.name!r} is not a plain value: {error}") from error
    return found


def make_component(cls: type[Any], options: Mapping[str, Any], *, id: str, origin: str = "") -> Any:
    """Return a component with checked options.

    Raises:
        ConfigError: an option is unknown, or a value is not allowed. The text is one line and suggests a similar name.
    """
    model = options_model(cls)
    for name, value in options.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise ConfigError(
                f"option {name!r} of {id!r}: should be a finite number, got {value!r}{_from(origin)}"
            )
    try:
        text = json.dumps(dict(options), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigError(f"options of {id!r} are not plain values{_from(origin)}: {error}") from error
    try:
        # The type of an option may be a class of the plugin, whose code then runs here.
        with guarded():
            checked = model.model_validate_json(text)
    except ValidationError as error:
        raise ConfigError(
            explain(error, subject=repr(id), noun="option", model=model, origin=origin)
        ) from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise PluginError(f"{id!r} cannot check its options: {describe_error(error)}") from error
    with plugin_errors(repr(id), guard=False):
        try:
            with guarded():
                component = cls(**{name: getattr(checked, name) for name in model.model_fields})
                if type(component) is not cls:
                    raise TypeError(f"{cls.__qualname__}() returned a {type(component).__name__}")
                json.dumps(component.options(), allow_nan=False)
        except ValueError as error:
            raise ConfigError(
                f"options of {id!r} do not fit together{_from(origin)}: {one_line(error)}"
            ) from error
        return component.named(id)


def explain(
    error: ValidationError, *, subject: str, noun: str, model: type[BaseModel], origin: str = ""
) -> str:
    """Return one line about the first error that pydantic found in a configuration."""
    first = error.errors(include_url=False)[0]
    path = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        hint = did_you_mean(path, model.model_fields) or f"; it has {', '.join(model.model_fields) or 'none'}"
        return f"{subject} has no {noun} {path!r}{_from(origin)}{hint}"
    if first["type"] == "value_error":
        # The error comes from a validator of this project, whose text already has the value and a remedy.
        return f"{one_line(first['msg'].removeprefix('Value error, '))}{_from(origin)}"
    shown = repr(first.get("input"))
    shown = shown if len(shown) <= 80 else shown[:77] + "..."
    message = one_line(first["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    if first["type"] == "json_invalid":
        return f"{subject} cannot be read{_from(origin)}: {message}"
    return f"{noun} {path!r} of {subject}: {message}, got {shown}{_from(origin)}"


def describe_options(cls: type[Any]) -> list[dict[str, Any]]:
    """Return name, type, default, help and bounds of each option, as JSON can represent them."""
    model = options_model(cls)
    rows = []
    for name, field in model.model_fields.items():
        default = field.get_default(call_default_factory=True)
        bounds = {
            sign: getattr(fact, attribute)
            for fact in field.metadata
            for attribute, sign in (("ge", ">="), ("le", "<="), ("gt", ">"))
            if hasattr(fact, attribute)
        }
        rows.append(
            {
                "name": name,
                "type": _type_text(field.annotation),
                "default": default,
                "help": field.description or "",
                "bounds": bounds,
            }
        )
    return rows


def _type_text(annotation: Any) -> str:
    if typing.get_origin(annotation) is typing.Literal:
        return " | ".join(str(value) for value in typing.get_args(annotation))
    if isinstance(annotation, type) and not typing.get_args(annotation):
        return annotation.__name__
    return str(annotation).replace("typing.", "")


def _from(origin: str) -> str:
    return f" ({origin})" if origin else ""
