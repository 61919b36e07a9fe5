"""``denas plugins`` and ``denas show``: list what is installed, and explain a component."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from denas_core.cli.arguments import AllowPickleOption, ColumnsOption, JsonOption, SetOption, with_pickles
from denas_core.cli.completion import components
from denas_core.cli.output import MORE, print_json, print_paragraphs, print_table, print_text
from denas_core.errors import ConfigError

if TYPE_CHECKING:
    from denas_core.contracts.space import SearchSpace
    from denas_core.registry.registry import Registry


def plugins(columns: ColumnsOption = None, json_: JsonOption = False) -> None:
    """List the installed plugins.

    Prints the distribution, version and status of each plugin, and the components and commands that it provides.
    """
    from denas_core.registry.registry import Registry

    rows = plugin_rows(Registry.discover())
    if json_:
        print_json({"schema": "denas.plugins/1", "plugins": rows})
        return
    print_table(
        ["plugin", "distribution", "version", "status", "provides"],
        [
            [
                row["name"],
                row["distribution"],
                row["version"],
                row["status"],
                row["reason"]
                or "; ".join(f"{kind}: {', '.join(names)}" for kind, names in _provided(row).items()),
            ]
            for row in rows
        ],
        prose=("provides",),
        least=("version", "distribution"),
        chosen=columns,
        more=MORE,
    )


def plugin_rows(registry: Registry) -> list[dict[str, Any]]:
    """Return the facts of each plugin and the names of its commands; a plugin whose commands fail is broken."""
    from denas_core.cli.plugin_commands import plugin_commands
    from denas_core.cli.table import NAMES

    found = plugin_commands(registry, taken=NAMES)
    rows = [{**plugin.as_dict(), "commands": found.names.get(plugin.name, [])} for plugin in registry.plugins]
    for row in rows:
        if row["name"] in found.faults:
            row |= {"status": "broken", "reason": found.faults[row["name"]]}
    return rows


def _provided(row: dict[str, Any]) -> dict[str, list[str]]:
    return {**row["components"], **({"command": row["commands"]} if row["commands"] else {})}


def show(
    component: Annotated[
        str,
        typer.Argument(
            help="Component, e.g. cv/cnn, cv/cnn:imagenet or scores/de-score.", autocompletion=components
        ),
    ],
    set_: SetOption = None,
    allow_pickle: AllowPickleOption = False,
    json_: JsonOption = False,
) -> None:
    """Show a component.

    Prints its documentation, its options with defaults, and its presets; for a space also its knobs and size.
    """
    from denas_core.isolation.plugin_errors import plugin_errors
    from denas_core.registry.options import describe_options
    from denas_core.registry.registry import Registry
    from denas_core.values.metrics import declared_metrics

    registry = Registry.discover()
    kind = registry.kind_of(component.partition(":")[0])
    cls = registry.load(kind, component.partition(":")[0])
    document: dict[str, Any] = {
        "schema": "denas.show/1",
        "id": registry.resolve(kind, component.partition(":")[0]),
        "kind": kind,
        "documentation": _documentation(cls),
        "options": describe_options(cls),
        "presets": registry.presets(kind, component.partition(":")[0]),
    }
    if kind == "space":
        space = registry.create(
            "space", component, _options(with_pickles(set_, allow_pickle=allow_pickle)), origin="--set"
        )
        with plugin_errors(f"space {space.id!r}"):
            document |= _knobs(space)
        # The defaults that a search would have with this preset and these options.
        for row in document["options"]:
            row["default"] = space.options()[row["name"]]
    if kind in ("space", "probe"):
        document["metrics"] = [
            {**metric.as_dict(), "title": metric.title}
            for metric in declared_metrics({component: cls}).declared
        ]
    if json_:
        print_json(document)
    else:
        _print(document)


def _options(settings: list[str]) -> dict[str, Any]:
    from denas_core.setup.config import apply_settings

    document = apply_settings({"space": {}}, settings)
    options = document.pop("space")
    if document:
        raise ConfigError(f"'denas show' takes only --set space.<option>=..., not {next(iter(document))!r}")
    return dict(options)


def _knobs(space: SearchSpace) -> dict[str, Any]:
    return {
        "size": space.size(),
        "knobs": [
            {
                "name": knob.name,
                "values": list(knob.values),
                "layer": knob.layer,
                "when": None if knob.when is None else {knob.when[0]: list(knob.when[1])},
            }
            for knob in space.knobs()
        ],
    }


def _documentation(cls: type[Any]) -> str:
    import inspect

    return inspect.cleandoc(cls.__doc__ or "")


def _print(document: dict[str, Any]) -> None:
    print_paragraphs(f"{document['id']} ({document['kind']})\n\n{document['documentation']}\n")
    print_table(
        ["option", "type", "default", "help"],
        [
            [
                row["name"],
                " ".join([row["type"], *(f"{sign}{bound:g}" for sign, bound in row["bounds"].items())]),
                repr(row["default"]),
                row["help"],
            ]
            for row in document["options"]
        ],
        prose=("default", "help"),
        least=("type",),
    )
    if document["presets"]:
        rows = [[f"{document['id']}:{name}", options] for name, options in document["presets"].items()]
        print_table(["preset", "options"], rows, prose=("options",), title="")
    if document.get("metrics"):
        print_table(
            ["metric", "what it is", "better", "value is"],
            [
                [
                    metric["name"],
                    metric["title"],
                    "smaller" if metric["direction"] == "minimize" else "larger",
                    "measured" if metric["is_measured"] else "counted",
                ]
                for metric in document["metrics"]
            ],
            prose=("what it is",),
            title="",
        )
    if "knobs" in document:
        print_table(
            ["knob", "values"],
            [[knob["name"], _values_text(knob["values"])] for knob in document["knobs"]],
            prose=("values",),
            title="",
        )
        print_text(f"size: about 10^{len(str(document['size'])) - 1} ({len(document['knobs'])} knobs)")


def _values_text(values: list[Any]) -> str:
    texts = [str(value) for value in values]
    return (
        ", ".join(texts)
        if len(texts) <= 12
        else f"{', '.join(texts[:6])}, ... {', '.join(texts[-3:])} ({len(texts)})"
    )
