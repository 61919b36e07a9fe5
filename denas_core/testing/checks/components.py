"""What every component must do, whatever its kind: plain options, documented, from which it can be made again."""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING, Any

from denas_core.testing.check import Check, CheckFailed, CheckSkipped, require
from denas_core.text import safe_repr

if TYPE_CHECKING:
    from denas_core.contracts.component import Component


def options_are_fields(component: Component) -> None:
    """Every annotated name of its class is an option: the class is a keyword-only dataclass."""
    import dataclasses

    names = {field.name for field in dataclasses.fields(component)}
    for cls in type(component).__mro__:
        for name, annotation in inspect.get_annotations(cls).items():
            require(
                name in names or "ClassVar" in str(annotation) or name.startswith("_"),
                f"{cls.__name__}.{name} looks like an option but is none: put @dataclasses.dataclass(kw_only=True) "
                f"over {cls.__name__}, or annotate it as ClassVar",
            )
    for field in dataclasses.fields(component):
        require(
            field.kw_only is True,
            f"option {field.name!r} can be given by position: write @dataclasses.dataclass(kw_only=True)",
        )


def options_are_documented(component: Component) -> None:
    """Every option has a line of help."""
    rows = _described(component)
    if not rows:
        raise CheckSkipped("it has no options")
    for row in rows:
        require(
            bool(row["help"].strip()),
            f"option {row['name']!r} has no help: declare it as option(default, 'What it does')",
        )


def defaults_are_valid(component: Component) -> None:
    """It can be made without any option, and its defaults are within their own types and bounds."""
    from denas_core.errors import DenasError
    from denas_core.registry.options import make_component

    defaults = {row["name"]: row["default"] for row in _described(component)}
    for options in ({}, defaults):
        try:
            make_component(type(component), options, id=component.id)
        except DenasError as error:
            require(False, f"the defaults are refused: {error}; change the default, its type or its bounds")


def presets_are_valid(component: Component) -> None:
    """Every preset is made of options that it accepts."""
    from denas_core.errors import DenasError
    from denas_core.registry.options import make_component

    presets: dict[str, Any] = dict(getattr(component, "presets", {}))
    if not presets:
        raise CheckSkipped("it has no presets")
    for name, options in presets.items():
        try:
            make_component(type(component), options, id=component.id)
        except DenasError as error:
            require(False, f"preset {name!r} is refused: {error}")


def options_are_plain(component: Component) -> None:
    """Its options are plain values, which JSON keeps as they are."""
    options = component.options()
    try:
        text = json.dumps(options, allow_nan=False)
    except (TypeError, ValueError) as error:
        require(
            False,
            f"the options {safe_repr(options)} are no JSON: {error}; use numbers, texts, lists and mappings",
        )
    require(
        _as_json(json.loads(text)) == _as_json(options),
        f"the options {safe_repr(options)} come back from JSON as {safe_repr(json.loads(text))}; keys must be texts",
    )


def it_is_made_again_from_its_options(component: Component) -> None:
    """The component made from its options has the same options."""
    from denas_core.errors import DenasError
    from denas_core.registry.options import make_component

    options = component.options()
    try:
        again = make_component(type(component), json.loads(json.dumps(options)), id=component.id)
    except DenasError as error:
        require(False, f"its own options {safe_repr(options)} are refused: {error}")
    require(
        again.options() == options,
        f"made from {safe_repr(options)} its options are {safe_repr(again.options())}: __post_init__ must not change "
        "a field; compute what depends on options where it is used",
    )


def it_keeps_the_id_it_is_given(component: Component) -> None:
    """Its id is the one that the registry gives it."""
    from denas_core.errors import DenasError
    from denas_core.registry.options import make_component

    try:
        again = make_component(type(component), component.options(), id="check/given")
    except DenasError as error:
        require(False, f"it cannot be made with an id: {error}")
    require(
        again.id == "check/given", f"its id is {again.id!r} and not the given one; do not define id or named"
    )


def it_is_documented(component: Component) -> None:
    """Its class says what it is, for 'denas show'."""
    cls = type(component)
    text = inspect.cleandoc(cls.__dict__.get("__doc__") or "")
    # dataclass writes the signature where there is no docstring.
    require(
        bool(text) and not text.startswith(f"{cls.__name__}("),
        f"class {cls.__name__} has no docstring; say in a sentence what it is",
    )


def _described(component: Component) -> list[dict[str, Any]]:
    from denas_core.errors import DenasError
    from denas_core.registry.options import describe_options

    try:
        return describe_options(type(component))
    except DenasError as error:
        raise CheckFailed(f"{error}; give every option a type and a default") from error


def _as_json(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_as_json(item) for item in value]
    return {k: _as_json(v) for k, v in value.items()} if isinstance(value, dict) else value


COMPONENT_CHECKS: tuple[Check, ...] = (
    it_is_documented,
    options_are_fields,
    options_are_documented,
    defaults_are_valid,
    presets_are_valid,
    options_are_plain,
    it_is_made_again_from_its_options,
    it_keeps_the_id_it_is_given,
)
