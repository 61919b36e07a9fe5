"""The keys that every domain of the original shares: its strategies, their budgets, the seed, the score's weights."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .contract import OldConfig, Outcome, Rule, dropped, to

EVOLUTION, RANDOM = "EvolutionarySearchEngine", "RandomSearchEngine"
SERVICE = ("SigoptSearchEngine", "MOSigoptSearchEngine")

# What a configuration that does not say so got in the original.
GENERATION = {"population_num": 50, "mutation_num": 25, "crossover_num": 25}


def _engine(old: OldConfig, key: str) -> Outcome:
    engine = old.text(key)
    if engine == RANDOM:
        return Outcome(fate="translated", settings={"strategy.name": "builtin/random"})
    settings = {"strategy.name": "builtin/evolution"}
    if engine == EVOLUTION:
        return Outcome(fate="translated", settings=settings)
    if engine in SERVICE:
        note = "the hosted service is gone; the Pareto front is part of every search"
        return Outcome(fate="changed", settings=settings, note=note)
    return Outcome(fate="changed", settings=settings, note="the original has no engine of this name")


def _epochs(engine: str) -> Rule:
    def rule(old: OldConfig, key: str) -> Outcome:
        chosen = old.get("search_engine", EVOLUTION)
        if engine != ("SigoptSearchEngine" if chosen in SERVICE else chosen):
            return Outcome(fate="dropped", note=f"{chosen} did not read it")
        count = old.whole(key)
        note = "scored candidates; the original's draws that broke a bound counted too"
        if engine == EVOLUTION:
            sizes = [old.whole(name, default) for name, default in GENERATION.items()]
            note = f"{count} generations of {sum(sizes)} candidates"
            count *= sum(sizes)
        if count == 0:
            return Outcome(
                fate="changed", note="nothing would be searched; the default budget takes its place"
            )
        return Outcome(fate="translated", settings={"budget": count}, note=note)

    return rule


def _option_of_evolution(rule: Rule) -> Rule:
    def guarded(old: OldConfig, key: str) -> Outcome:
        if old.get("search_engine") == RANDOM:
            return Outcome(fate="dropped", note="random search has no such option; every trial is kept")
        if old.whole("population_num", GENERATION["population_num"]) == 0 and key not in ("m_prob", "s_prob"):
            note = (
                "without random candidates evolution has nothing to start from; the defaults take their place"
            )
            return Outcome(fate="changed", note=note)
        return rule(old, key)

    return guarded


SEARCH_KEYS: Mapping[str, Rule] = MappingProxyType(
    {
        "search_engine": _engine,
        "max_epochs": _epochs(EVOLUTION),
        "random_max_epochs": _epochs(RANDOM),
        "sigopt_max_epochs": _epochs("SigoptSearchEngine"),
        "scale_factor": dropped("a proposal that repeats another is drawn anew up to 50 times"),
        "population_num": _option_of_evolution(to("strategy.population")),
        "mutation_num": _option_of_evolution(to("strategy.mutations")),
        "crossover_num": _option_of_evolution(to("strategy.crossovers")),
        "select_num": _option_of_evolution(to("strategy.select")),
        "m_prob": _option_of_evolution(to("strategy.layer_probability", OldConfig.number)),
        "s_prob": _option_of_evolution(to("strategy.network_probability", OldConfig.number)),
        "seed": to("seed"),
        "batch_size": to("score.batch_size"),
        **{
            f"{name}_weight": to(f"score.weights.{name}", OldConfig.number)
            for name in ("expressivity", "complexity", "diversity", "saliency", "latency")
        },
    }
)
"""Rule by key; a space's own table beats it."""
