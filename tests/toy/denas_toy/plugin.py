"""A plugin without torch, so that tests can start and kill hundreds of searches."""

from denas_core import hookimpl


@hookimpl
def denas_spaces():
    return {"stairs": "denas_toy.stairs:Stairs", "lift": "denas_toy.energy:Lift"}


@hookimpl
def denas_scores():
    return {
        "height": "denas_toy.scores:Height",
        "slope": "denas_toy.scores:Slope",
        "both": "denas_toy.scores:Both",
        "sampled": "denas_toy.scores:Sampled",
        "tiered": "denas_toy.scores:Tiered",
    }


@hookimpl
def denas_probes():
    return {"ruler": "denas_toy.ruler:Ruler", "meter": "denas_toy.energy:Meter"}


@hookimpl
def denas_executors():
    return {"shuffled": "denas_toy.shuffled:Shuffled"}
