"""The report as one HTML file that loads nothing, runs no script but its own, and shows hostile text as text."""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from denas_core.text import DASH, number, percent, seconds
from denas_core.values.metrics import shown_metrics

from . import charts, text

if TYPE_CHECKING:
    from jinja2 import Environment
    from jinja2.runtime import Context

KEY_LENGTH = 12
"""Characters of a key that are shown."""


def render_html(document: Mapping[str, Any]) -> str:
    """Return the page of a report.

    Scripts and styles are allowed by their hash alone, everything else is refused by the page's own policy. Every value
    is escaped, and what cannot be seen in a text is made visible.
    """
    from markupsafe import Markup

    style, script = (asset(name) for name in ("report.css", "report.js"))
    pareto, time = charts.pareto_charts(document), charts.timeline(document)
    template = environment().get_template("report.html")
    return template.render(
        d=document,
        style=Markup(style),
        script=Markup(script),
        policy=policy(style, script),
        pareto=pareto,
        timeline=time,
        distributions=charts.distributions(document),
        intervals=charts.intervals(document),
        bars=charts.bars(document["finalists"], document["score"]["directions"]),
        components=list(dict.fromkeys(name for row in document["finalists"] for name in row["components"])),
        metrics=shown_metrics(name for row in document["finalists"] for name in row["metrics"]),
        titles=text.titles_of(document),
        data=tooltip_data(document, [*pareto, *([time] if time else [])]),
    )


def policy(style: str, script: str | None = None) -> str:
    """Return the content security policy of a page with exactly this style and this script, or none."""
    scripts = "'none'" if script is None else f"'{_hash(script)}'"
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src {scripts}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


@functools.cache
def environment() -> Environment:
    """Return what renders templates: every value is escaped, and what cannot be seen in a text is made visible."""
    from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
    from markupsafe import Markup

    def finalize(value: Any) -> Any:
        if value is None:
            return DASH
        # Markup is what a filter has escaped already.
        is_text = isinstance(value, str) and not isinstance(value, (Markup, charts.Drawn))
        return text.visible(value) if is_text else value

    made = Environment(
        loader=PackageLoader("denas_core.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    made.filters |= {
        "num": number,
        "pct": percent,
        "secs": seconds,
        "shape": text.shape,
        "metric": pass_context(_title),
    }
    return made


def asset(name: str) -> str:
    """Return the text of a file that lies beside the templates."""
    return files("denas_core.report").joinpath("templates", name).read_text(encoding="utf-8")


def tooltip_data(document: Mapping[str, Any], plots: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the tooltips show: a short row by trial, and the places of the points of each picture."""
    shown = {point[2] for plot in plots for point in plot["points"]}
    names = shown_metrics(
        name for row in document["trials"] if row["index"] in shown for name in row["metrics"]
    )
    titles = text.titles_of(document)
    return {
        "metrics": [titles.get(name, name) for name in names],
        "trials": {
            str(row["index"]): [
                text.visible(row["key"][:KEY_LENGTH]),
                row["rank"],
                number(row["score"]),
                *(number(row["metrics"].get(name)) for name in names),
            ]
            for row in document["trials"]
            if row["index"] in shown
        },
        "plots": {plot["name"]: plot["points"] for plot in plots},
    }


def _title(context: Context, name: str) -> str:
    """Return what people call a metric."""
    title: str = context["titles"].get(name, name)
    return title


def _hash(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
