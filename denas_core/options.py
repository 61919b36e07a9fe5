"""Options: a component's fields, checked by pydantic as they would come from JSON."""

from __future__ import annotations

import dataclasses
import json
import typing
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from .errors import ConfigError, PluginError, did_you_mean

RESERVED = ("id", "name", "named", "options")
"""What configurations and components use themselves."""


def options_model(cls: type[Any]) -> type[BaseModel]:
    """Return the pydantic model of a component class's options: strict, no unknown names, no NaN.

    Raises:
        PluginError: an option has no default, or a type that pydantic cannot check.
    """
    fields: dict[str, Any] = {}
    try:
        hints = typing.get_type_hints(cls)
        for field in dataclasses.fields(cls):
            if field.name in RESERVED:
                raise TypeError(f"an option cannot be called {field.name!r}")
            facts = field.metadata
            bounds = {bound: facts[bound] for bound in ("ge", "le", "gt") if facts.get(bound) is not None}
            default: dict[str, Any]
            if field.default_factory is not dataclasses.MISSING:
                default = {"default_factory": field.default_factory}
            elif field.default is not dataclasses.MISSING:
                default = {"default": field.default}
            else:
                raise TypeError(f"option {field.name!r} has no default")
            fields[field.name] = (
                hints[field.name],
                Field(description=facts.get("help"), **default, **bounds),
            )
        config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, protected_namespaces=())
        return create_model(cls.__name__, __config__=config, **fields)
    except Exception as error:
        raise PluginError(
            f"the options of {cls.__module__}:{cls.__qualname__} cannot be read: {type(error).__name__}: {error}"
        ) from error


def make_component(cls: type[Any], options: Mapping[str, Any], *, id: str, origin: str = "") -> Any:
    """Return a component with checked options.

    Raises:
        ConfigError: an unknown option, or a value that does not fit; one line with the nearest name.
    """
    model = options_model(cls)
    try:
        checked = model.model_validate_json(json.dumps(dict(options), allow_nan=False))
    except ValidationError as error:
        raise ConfigError(
            explain(error, subject=repr(id), noun="option", model=model, origin=origin)
        ) from error
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigError(f"options of {id!r} are no plain values{_from(origin)}: {error}") from error
    try:
        component = cls(**{name: getattr(checked, name) for name in model.model_fields})
    except ValueError as error:
        raise ConfigError(f"options of {id!r} do not fit together{_from(origin)}: {error}") from error
    return component.named(id)


def explain(
    error: ValidationError, *, subject: str, noun: str, model: type[BaseModel], origin: str = ""
) -> str:
    """Return one line for the first thing that is wrong with a configuration."""
    first = error.errors(include_url=False)[0]
    path = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        hint = did_you_mean(path, model.model_fields) or f"; it has {', '.join(model.model_fields) or 'none'}"
        return f"{subject} has no {noun} {path!r}{_from(origin)}{hint}"
    if first["type"] == "value_error":
        # A validator of our own: its text says the value and what to do.
        return f"{first['msg'].removeprefix('Value error, ')}{_from(origin)}"
    shown = repr(first.get("input"))
    shown = shown if len(shown) <= 80 else shown[:77] + "..."
    message = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
    if first["type"] == "json_invalid":
        return f"{subject} cannot be read{_from(origin)}: {message}"
    return f"{noun} {path!r} of {subject}: {message}, got {shown}{_from(origin)}"


def describe_options(cls: type[Any]) -> list[dict[str, Any]]:
    """Return name, type, default, help and bounds of each option, fit for JSON."""
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
