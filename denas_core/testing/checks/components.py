"""What every component promises, whatever its kind: documented options of plain values, from which it is made again."""

from __future__ import annotations

import dataclasses
import inspect
import json
from collections.abc import Mapping
from typing import Any

from denas_core.contracts.component import Component
from denas_core.testing.check import check, fail, must_succeed
from denas_core.testing.samples.difference import brief


@check
def it_is_documented(component: Component) -> None:
    """Its class says what it is, and each of its options what it does, for 'denas show'."""
    cls = type(component)
    documentation = inspect.cleandoc(cls.__dict__.get("__doc__") or "")
    # dataclass writes the signature where there is no docstring.
    if not documentation or documentation.startswith(f"{cls.__name__}("):
        fail(f"class {cls.__name__} has no docstring; say in a sentence what it is")
    for row in _descriptions(component):
        if not row["help"].strip():
            fail(f"option {row['name']!r} has no help: declare it as option(default, 'What it does')")


@check
def options_are_fields(component: Component) -> None:
    """Every annotated name of its class is an option: the class is a keyword-only dataclass."""
    fields = {field.name: field for field in dataclasses.fields(component)}
    advice = "put @dataclasses.dataclass(kw_only=True) above the class"
    for cls in type(component).__mro__:
        for name, annotation in inspect.get_annotations(cls).items():
            if name not in fields and "ClassVar" not in str(annotation) and not name.startswith("_"):
                fail(f"{cls.__name__}.{name} is not an option: {advice}, or annotate it as ClassVar")
    for name, field in fields.items():
        if field.kw_only is not True:
            fail(f"option {name!r} can be given by position: {advice}")


@check
def defaults_and_presets_are_valid(component: Component) -> None:
    """It can be made without any option and with each preset, and its defaults are within their types and bounds."""
    presets: dict[str, Any] = dict(getattr(component, "presets", {}))
    defaults = {row["name"]: row["default"] for row in _descriptions(component)}
    for name, options in {"no options": {}, "its defaults": defaults, **presets}.items():
        with must_succeed(
            f"making it with {name}", "name options that it has, with values within their bounds"
        ):
            _made(component, options)


@check
def options_are_plain(component: Component) -> None:
    """Its options are plain values, which JSON keeps as they are."""
    options = component.options()
    with must_succeed(f"writing {brief(options)} as JSON", "use numbers, texts, lists and mappings"):
        again = json.loads(json.dumps(options, allow_nan=False))
    if again != _as_json(options):
        fail(f"the options {brief(options)} come back from JSON as {brief(again)}; keys must be texts")


@check
def it_is_made_again_from_its_options(component: Component) -> None:
    """The component made from its options has the same options, and the id that the registry gives it."""
    options = component.options()
    with must_succeed(f"making it from its own options {brief(options)}", "accept what options() returns"):
        again = _made(component, json.loads(json.dumps(options)), id="check/given")
    if again.options() != options:
        fail(f"its options {brief(options)} become {brief(again.options())}; leave them as they are")
    if again.id != "check/given":
        fail(f"its id is {again.id!r} and not the given one; do not define id or named")


def _made(component: Component, options: Mapping[str, Any], *, id: str = "") -> Component:
    from denas_core.registry.options import make_component

    made: Component = make_component(type(component), options, id=id or component.id)
    return made


def _descriptions(component: Component) -> list[dict[str, Any]]:
    from denas_core.registry.options import describe_options

    with must_succeed("reading its options", "give every option a type and a default"):
        return describe_options(type(component))


def _as_json(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_as_json(item) for item in value]
    return {k: _as_json(v) for k, v in value.items()} if isinstance(value, dict) else value
