"""From a configuration of the original to one of ours, with an account of every key."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

from denas_core.contracts.original import KeyTable, Legacy, OldConfig, Outcome, Rule
from denas_core.errors import ConfigError, NotInstalled, PluginError, did_you_mean
from denas_core.registry.registry import Registry
from denas_core.setup.config import COMPONENTS, RunConfig

from .rules import text
from .search_keys import COMBINATION, SEARCH_KEYS
from .training_keys import MARKS, TRAINING_KEYS

DOMAIN_KEYS = ("domain", "model_type")
IMPLIED = "(no key)"
"""Where the account has what the original did without a key that says so."""

TRAINING_ORDER = ("space", "arch", "task", "data", "training")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A translated configuration.

    Attributes:
        space: Id of the space that takes the old domain's place, with its preset.
        is_training: Whether it is for ``denas train``, and not for ``denas search``.
        document: The new configuration, defaults left out.
        outcomes: What became of each old key, in the file's order.
        old: The old values by key.
    """

    space: str
    is_training: bool
    document: dict[str, Any]
    outcomes: Mapping[str, Outcome]
    old: Mapping[str, Any]


def import_config(
    document: Mapping[str, Any], registry: Registry, *, origin: str, domain: str | None = None
) -> Imported:
    """Translate a configuration of a search or a training of the original.

    Args:
        document: What its file holds.
        registry: The installed plugins; their spaces say which domains can be read.
        origin: What errors name as the source.
        domain: The ``--domain`` of the old command, where the file does not say it.

    Raises:
        ConfigError: no domain is named, no installed space reads it, or a value cannot be read.
    """
    old = OldConfig(document, origin)
    domain = _domain(old, domain)
    id, legacy = _reader_of(domain, registry, origin)
    is_training = any(key in document for key in MARKS)
    table = legacy.training if is_training else legacy.search
    if table is None:
        raise ConfigError(
            f"{origin} is of a training for the domain {domain!r}, of which only searches are read"
        )
    names = {"space.name": f"{id}:{table.preset}" if table.preset else id}
    tables = [table]
    if table.task:
        names["task.name"] = table.task
        of_task: KeyTable | None = registry.load("task", table.task).legacy()
        tables = [of_task, table] if of_task else tables
    outcomes = _outcomes(old, names, tables, is_training=is_training, domain=domain)
    chosen: dict[str, Any] = dict(names)
    for outcome in outcomes.values():
        chosen |= outcome.settings
    defaults = _defaults(chosen, registry, is_training=is_training)
    kept = {key: value for key, value in chosen.items() if not _is(defaults.get(key), value)}
    outcomes = {key: _with_what_is_kept(outcome, kept) for key, outcome in outcomes.items()}
    return Imported(
        space=names["space.name"],
        is_training=is_training,
        document=_document(kept, outcomes, is_training=is_training),
        outcomes=outcomes,
        old=old.document,
    )


def _domain(old: OldConfig, given: str | None) -> str:
    named = [old.read(key, text) for key in DOMAIN_KEYS if old.document.get(key) is not None]
    domain = given or (named[0] if named else None)
    if domain is None:
        raise ConfigError(
            f"{old.origin} names neither 'domain' nor 'model_type'; give the --domain that the old command was given"
        )
    return domain


def _reader_of(domain: str, registry: Registry, origin: str) -> tuple[str, Legacy]:
    known: dict[str, str] = {}
    for id in registry.ids("space"):
        try:
            legacy: Legacy | None = registry.load("space", id).legacy()
        except PluginError:
            continue
        if legacy is not None and domain in legacy.domains:
            return id, legacy
        known |= dict.fromkeys(legacy.domains if legacy else (), id)
    supported = ", ".join(f"{name} ({id})" for name, id in known.items()) or "none"
    raise ConfigError(
        f"{origin} is for the domain {domain!r}, which no installed space reads; these can be imported: {supported}"
    )


def _outcomes(
    old: OldConfig, names: Mapping[str, str], tables: Sequence[KeyTable], *, is_training: bool, domain: str
) -> dict[str, Outcome]:
    rules: dict[str, Rule] = {}
    outcomes = {}
    tables = [TRAINING_KEYS if is_training else SEARCH_KEYS, *tables]
    for table in tables:
        rules |= table.rules()
    implied = [table.implied(old) for table in tables if table.implied]
    if implied:
        outcomes[IMPLIED] = Outcome(
            settings={key: value for part in implied for key, value in part.settings.items()},
            constraints=tuple(bound for part in implied for bound in part.constraints),
            note="; ".join(part.note for part in implied),
        )
    for key, value in old.document.items():
        if key in DOMAIN_KEYS:
            outcomes[key] = Outcome(settings=dict(names))
        elif key not in rules:
            hint = did_you_mean(key, [*rules, *DOMAIN_KEYS])
            kind = "trainings" if is_training else "searches"
            outcomes[key] = Outcome(fate="unknown", note=f"no key of the original's {domain} {kind}{hint}")
        elif value is None:
            outcomes[key] = Outcome(fate="unused", note="it has no value")
        else:
            outcomes[key] = rules[key](old, key)
    return outcomes


def _defaults(chosen: Mapping[str, Any], registry: Registry, *, is_training: bool) -> dict[str, Any]:
    """Return the value that each key of a new configuration has if it is left out.

    Settings of a training have none: their defaults are the task's recipe, which may change.
    """
    if is_training:
        made = {kind: registry.create(kind, chosen[f"{kind}.name"]) for kind in ("space", "task")}
        return _options(made)
    fields = RunConfig.model_fields
    usual = {kind: fields[kind].default.name for kind in COMPONENTS if kind != "space"}
    made = {}
    for kind in COMPONENTS:
        try:
            made[kind] = registry.create(kind, chosen.get(f"{kind}.name", usual.get(kind)))  # type: ignore[arg-type]
        except (NotInstalled, PluginError):
            # A strategy may be of a plugin that is not installed yet. The command says what to install, because a
            # search refuses the configuration until then.
            if kind != "strategy":
                raise
    combination = chosen.get(COMBINATION)
    score = made["score"]
    if combination is not None:
        score = registry.create("score", usual["score"], {"combination": combination})
    weights = score.default_weights(made["space"])
    return {
        **{name: field.default for name, field in fields.items() if name not in COMPONENTS},
        **{f"{kind}.name": name for kind, name in usual.items()},
        **_options(made),
        **{f"score.weights.{name}": weight for name, weight in weights.items()},
    }


def _options(made: Mapping[str, Any]) -> dict[str, Any]:
    return {
        f"{kind}.{option}": value
        for kind, component in made.items()
        for option, value in component.options().items()
    }


def _with_what_is_kept(outcome: Outcome, kept: Mapping[str, Any]) -> Outcome:
    settings = {key: value for key, value in outcome.settings.items() if key in kept and kept[key] == value}
    if outcome.settings and not settings and not outcome.constraints:
        return dataclasses.replace(outcome, fate="default", settings={})
    return dataclasses.replace(outcome, settings=settings)


def _is(default: Any, value: Any) -> bool:
    # True == 1, but the texts of the two differ.
    return (type(default) is not bool and default == value) or json.dumps(default) == json.dumps(value)


def _document(
    kept: Mapping[str, Any], outcomes: Mapping[str, Outcome], *, is_training: bool
) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for key, value in kept.items():
        *parents, last = key.split(".")
        place = document
        for depth, parent in enumerate(parents):
            has_usual = depth == 0 and not is_training and parent != "space"
            usual = {"name": RunConfig.model_fields[parent].default.name} if has_usual else {}
            place = place.setdefault(parent, usual)
        place[last] = value
    constraints = dict.fromkeys(bound for outcome in outcomes.values() for bound in outcome.constraints)
    if constraints:
        document["constraints"] = list(constraints)
    # In the order in which the documents explain the keys.
    order = TRAINING_ORDER if is_training else tuple(RunConfig.model_fields)
    return {key: document[key] for key in order if key in document}
