"""The keys that searches of every domain share: strategies, their budgets, the seed, the score's weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from denas_core.contracts.original import KeyTable, OldConfig, Outcome, Rule

from .rules import number, text, to, whole

EVOLUTION, RANDOM, SERVICE = "EvolutionarySearchEngine", "RandomSearchEngine", "SigoptSearchEngine"
SERVICE_OF_FRONTS = "MOSigoptSearchEngine"
_ENGINES: Mapping[str, tuple[dict[str, Any], str]] = {
    EVOLUTION: ({"strategy.name": "builtin/evolution"}, ""),
    RANDOM: ({"strategy.name": "builtin/random"}, ""),
    SERVICE: (
        {"strategy.name": "optuna/tpe"},
        "the hosted service is gone; Optuna's Bayesian optimisation runs here, without an account",
    ),
    SERVICE_OF_FRONTS: (
        {"strategy.name": "optuna/nsga2", "objectives": ["score", "latency_ms"]},
        "the hosted service is gone; Optuna runs here. The whole front is kept, of which the original kept one point",
    ),
}

# What a configuration that does not say so got in the original.
GENERATION = {"population_num": 50, "mutation_num": 25, "crossover_num": 25}


def _engine(old: OldConfig, key: str) -> Outcome:
    unknown = ({"strategy.name": "builtin/evolution"}, "the original has no engine of this name")
    settings, note = _ENGINES.get(old.read(key, text), unknown)
    return Outcome(settings=settings, note=note)


def _epochs(engine: str) -> Rule:
    def rule(old: OldConfig, key: str) -> Outcome:
        chosen = old.document.get("search_engine") or EVOLUTION
        if engine != (SERVICE if chosen == SERVICE_OF_FRONTS else chosen):
            return Outcome(fate="unused", note=f"{chosen} did not read it")
        count = old.read(key, whole)
        note = "scored candidates; the original's draws that broke a bound counted too"
        if engine == EVOLUTION:
            size = sum(old.read(name, whole, default) for name, default in GENERATION.items())
            note = f"{count} generations of {size} candidates"
            count *= size
        if count == 0:
            return Outcome(
                fate="missing", note="nothing would be searched; the default budget takes its place"
            )
        return Outcome(settings={"budget": count}, note=note)

    return rule


def _of_evolution(rule: Rule, *, is_size: bool = True) -> Rule:
    def guarded(old: OldConfig, key: str) -> Outcome:
        engine = old.document.get("search_engine")
        if engine == RANDOM:
            return Outcome(fate="missing", note="random search has no such option; every trial is kept")
        if engine in (SERVICE, SERVICE_OF_FRONTS):
            return Outcome(fate="unused", note=f"{engine} did not read it")
        if is_size and old.read("population_num", whole, GENERATION["population_num"]) == 0:
            note = "evolution cannot start without random candidates; the defaults take their place"
            return Outcome(fate="missing", note=note)
        return rule(old, key)

    return guarded


COMBINATION = "score.combination"


def _classic(old: OldConfig) -> Outcome:
    note = "the components that the original had; score.combination: ensemble takes those that predict better"
    return Outcome(settings={COMBINATION: "classic"}, note=note)


SEARCH_KEYS = KeyTable(
    keys={
        "search_engine": _engine,
        "max_epochs": _epochs(EVOLUTION),
        "random_max_epochs": _epochs(RANDOM),
        "sigopt_max_epochs": _epochs(SERVICE),
        "population_num": _of_evolution(to("strategy.population")),
        "mutation_num": _of_evolution(to("strategy.mutations")),
        "crossover_num": _of_evolution(to("strategy.crossovers")),
        "select_num": _of_evolution(to("strategy.select")),
        "m_prob": _of_evolution(to("strategy.layer_probability", number), is_size=False),
        "s_prob": _of_evolution(to("strategy.network_probability", number), is_size=False),
        "seed": to("seed"),
        "batch_size": to("score.batch_size"),
        **{
            f"{name}_weight": to(f"score.weights.{name}", number)
            for name in ("expressivity", "complexity", "diversity", "saliency", "latency")
        },
    },
    implied=_classic,
    missing={"a proposal that repeats another is drawn anew up to 50 times": "scale_factor"},
)
"""Keys of every search; a space's own table beats it."""
