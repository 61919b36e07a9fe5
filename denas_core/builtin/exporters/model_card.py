"""The model card: network, metrics, data and settings of the training, and the way to load the network."""

from __future__ import annotations

import importlib.resources
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from denas_core.contracts.chance import CHANCE, nothing_learnt
from denas_core.models.export import inputs_of
from denas_core.system.machine import environment, installed_version
from denas_core.text import one_line, quantity

if TYPE_CHECKING:
    from denas_core.contracts.trained_model import TrainedModel

LONGEST = 300
"""Number of characters of a value in the card. The full value is in model.json."""

Rows = list[tuple[str, str]]


def render_card(
    model: TrainedModel, *, requirements: Sequence[str], usage: str, note: str = "", first: str = ""
) -> str:
    """Return the model card as Markdown. Values of data and settings are escaped.

    Args:
        model: The model.
        requirements: Packages that must be installed to load it.
        usage: Lines of Python that load it.
        note: A note about loading it, as Markdown.
        first: Lines of Python that answer for an input, if it is known how.
    """
    import jinja2

    source = importlib.resources.files(__name__.rpartition(".")[0]).joinpath(
        "templates", "model_card.md.jinja"
    )
    # There is no HTML escaping, because the filter `cell` escapes values for Markdown.
    markdown = jinja2.Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    markdown.filters["cell"] = cell
    cost = model.space.cost(model.arch)
    return markdown.from_string(source.read_text(encoding="utf-8")).render(
        space=model.space.id,
        key=model.arch.key[:12],
        what=one_line((type(model.space).__doc__ or "").partition("\n")[0].rstrip(".")),
        chance=_against_chance(model),
        trained=_what_was_trained(model),
        network=[
            ("parameters", quantity(cost["params"])),
            ("FLOPs of one sample", quantity(cost["flops"])),
            ("key", model.arch.key),
            *(
                (f"option {name} of the space", json.dumps(value))
                for name, value in model.space.portable().items()
            ),
        ],
        notation=one_line(model.space.format(model.arch), 10_000).replace("```", "'''"),
        requirements=requirements,
        usage=usage,
        note=note,
        first=first,
        inputs=inputs_of(model.space),
        tables=[
            ("Metrics", [(_metric(name, model), f"{value:.6g}") for name, value in model.metrics.items()]),
            ("Data", _rows(model.facts)),
            ("The search", _rows(model.history.get("search", {}))),
            ("Training", _rows({name: value for name, value in model.history.items() if name != "search"})),
            ("Versions", _rows({"denas-core": installed_version("denas-core"), **environment()})),
        ],
    )


def _metric(name: str, model: TrainedModel) -> str:
    if name != CHANCE or model.task is None:
        return name
    return f"{CHANCE} ({model.task.metric.name} of one and the same answer for every input)"


def _what_was_trained(model: TrainedModel) -> str:
    """Return the end of the sentence that begins with the search."""
    if model.task is not None:
        return f", then trained for `{model.task.id}`"
    if model.history.get("weights") == "inherited":
        return ". Its weights are those of the original checkpoint, and it is not trained yet"
    return ", and it is not trained yet"


def _against_chance(model: TrainedModel) -> str:
    """Return a sentence if the model has learnt nothing, else an empty text."""
    if model.task is None:
        return ""
    said = nothing_learnt(model.task.metric, model.metrics, model.history.get("measured_samples"))
    return f"{said[0].upper()}{said[1:]}." if said else ""


def cell(value: object) -> str:
    """Return a value as text of a Markdown table, with escaped markup."""
    return re.sub(r"([\\`*_{}\[\]<>|#!~$&])", r"\\\1", one_line(value, LONGEST))


def _rows(facts: Mapping[str, Any]) -> Rows:
    return list(_flatten(facts, ""))


def _flatten(facts: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in facts.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            text = value if isinstance(value, str) else json.dumps(value)
            count = (
                f" ({len(value)} in total)" if isinstance(value, list) and len(text) > LONGEST - 20 else ""
            )
            yield f"{prefix}{name}", text[: LONGEST - 20] + count
