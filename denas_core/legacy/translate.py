"""From a configuration of the original to one of ours, with an account of every key."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from denas_core.contracts.space import SearchSpace
from denas_core.errors import ConfigError, PluginError, did_you_mean
from denas_core.registry.registry import Registry
from denas_core.setup.config import COMPONENTS, RunConfig, make_config

from .contract import Legacy, OldConfig, Outcome
from .search_keys import SEARCH_KEYS

DOMAIN_KEYS = ("domain", "model_type")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A translated configuration.

    Attributes:
        space: Id of the space that takes the old domain's place, with its preset.
        document: The new configuration, defaults left out.
        outcomes: What became of each old key, in the file's order.
        old: The old values by key.
    """

    space: str
    document: dict[str, Any]
    outcomes: Mapping[str, Outcome]
    old: Mapping[str, Any]

    @property
    def config(self) -> RunConfig:
        """The new configuration, checked."""
        return make_config(self.document, origin="the translation")


def import_config(
    document: Mapping[str, Any], registry: Registry, *, origin: str, domain: str | None = None
) -> Imported:
    """Translate a search configuration of the original.

    Args:
        document: What its file holds.
        registry: The installed plugins; their spaces say which domains can be read.
        origin: What errors name as the source.
        domain: The ``--domain`` of the old command, where the file does not say it.

    Raises:
        ConfigError: no domain is named, no installed space reads it, or a value cannot be read.
    """
    old = OldConfig(document, origin=origin)
    space, table = _table_of(_domain(old, domain), registry, origin)
    rules = {**SEARCH_KEYS, **table.keys}
    outcomes: dict[str, Outcome] = {}
    for key, value in old.document.items():
        if key in DOMAIN_KEYS:
            outcomes[key] = Outcome(fate="translated", settings={"space.name": space})
        elif key not in rules:
            hint = did_you_mean(key, [*rules, *DOMAIN_KEYS])
            note = f"no key of the original's {table.domains[0]} searches{hint}"
            outcomes[key] = Outcome(fate="unknown", note=note)
        elif value is None:
            outcomes[key] = Outcome(fate="dropped", note="it has no value")
        else:
            outcomes[key] = rules[key](old, key)
    chosen = {"space.name": space}
    for outcome in outcomes.values():
        chosen |= outcome.settings
    defaults = _defaults(chosen, registry)
    outcomes = {key: _without_defaults(outcome, defaults) for key, outcome in outcomes.items()}
    new = _nested(space, outcomes)
    return Imported(space=space, document=new, outcomes=outcomes, old=old.document)


def _domain(old: OldConfig, given: str | None) -> str:
    named = [old.text(key) for key in DOMAIN_KEYS if old.get(key) is not None]
    domain = given or (named[0] if named else None)
    if domain is None:
        raise ConfigError(
            f"{old.origin} names neither 'domain' nor 'model_type'; give the --domain that the old command was given"
        )
    return domain


def _table_of(domain: str, registry: Registry, origin: str) -> tuple[str, Legacy]:
    known: dict[str, str] = {}
    for id in registry.ids("space"):
        try:
            space: type[SearchSpace] = registry.load("space", id)
        except PluginError:
            continue
        table = space.legacy()
        if table is None:
            continue
        if domain in table.domains:
            return f"{id}:{table.preset}" if table.preset else id, table
        known |= dict.fromkeys(table.domains, id)
    supported = ", ".join(f"{name} ({id})" for name, id in known.items()) or "none"
    raise ConfigError(
        f"{origin} is for the domain {domain!r}, which no installed space reads; these can be imported: {supported}"
    )


def _defaults(chosen: Mapping[str, Any], registry: Registry) -> dict[str, Any]:
    """Return the value that each key of a new configuration has if it is left out."""
    fields = RunConfig.model_fields
    defaults = {name: field.default for name, field in fields.items() if name not in COMPONENTS}
    made: dict[str, Any] = {}
    for kind in COMPONENTS:
        usual = None if kind == "space" else fields[kind].default.name
        name = chosen.get(f"{kind}.name", usual)
        made[kind] = registry.create(kind, name)  # type: ignore[arg-type]
        defaults[f"{kind}.name"] = usual
        defaults |= {f"{kind}.{option}": value for option, value in made[kind].options().items()}
    weights = made["score"].default_weights(made["space"])
    return defaults | {f"score.weights.{name}": weight for name, weight in weights.items()}


def _without_defaults(outcome: Outcome, defaults: Mapping[str, Any]) -> Outcome:
    kept = {key: value for key, value in outcome.settings.items() if not _is(defaults.get(key), value)}
    fate = outcome.fate
    if fate == "translated" and not kept and not outcome.constraints:
        fate = "default"
    return dataclasses.replace(outcome, fate=fate, settings=kept)


def _is(default: Any, value: Any) -> bool:
    # True == 1, but the texts of the two differ.
    return (type(default) is not bool and default == value) or json.dumps(default) == json.dumps(value)


def _nested(space: str, outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
    document: dict[str, Any] = {"space": {"name": space}}
    constraints: list[str] = []
    for outcome in outcomes.values():
        constraints += [text for text in outcome.constraints if text not in constraints]
        for key, value in outcome.settings.items():
            *parents, last = key.split(".")
            place = document
            for depth, parent in enumerate(parents):
                named = (
                    {"name": RunConfig.model_fields[parent].default.name}
                    if depth == 0 and parent != "space"
                    else {}
                )
                place = place.setdefault(parent, named)
            place[last] = value
    if constraints:
        document["constraints"] = constraints
    # In the order in which the documents tell of the keys.
    return {key: document[key] for key in RunConfig.model_fields if key in document}
