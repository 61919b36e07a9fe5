"""The report as one HTML file, which loads no other file and runs only its own script."""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from denas_core.text import DASH, number, percent, seconds
from denas_core.values.metrics import shown_metrics

from . import charts, text, training_charts
from .brief import brief_sections

if TYPE_CHECKING:
    from jinja2 import Environment
    from jinja2.runtime import Context

KEY_LENGTH = 12
"""Number of characters of a key that are shown."""


SECTIONS = (
    ("confidence", "Confidence"),
    ("front", "Pareto front"),
    ("time", "Score over time"),
    ("finalists", "Finalists"),
    ("race", "Race"),
    ("knobs", "Which knobs mattered"),
    ("budgets", "Budgets"),
    ("network", "The network"),
    ("latency", "Latency"),
    ("failures", "Trials without a score"),
    ("provenance", "Provenance"),
    ("next", "Next steps"),
)
"""Name and title of the sections after the verdict, what was trained, and the build."""


def render_html(document: Mapping[str, Any]) -> str:
    """Return the page of a report.

    The content security policy of the page allows one script and one style by their hashes, and nothing else. Every
    value is escaped, and invisible characters are made visible.
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
        volume=charts.hypervolume(document),
        distributions=charts.distributions(document),
        intervals=charts.intervals(document),
        **_of_training(document["trained"]),
        sections=SECTIONS,
        brief=brief_sections(document, has_front=bool(pareto), has_time=time is not None),
        bars=charts.bars(document["finalists"], document["score"]["directions"]),
        components=list(dict.fromkeys(name for row in document["finalists"] for name in row["components"])),
        metrics=shown_metrics(name for row in document["finalists"] for name in row["metrics"]),
        titles=text.titles_of(document),
        data=tooltip_data(document, [*pareto, *([time] if time else [])]),
    )


def render_training(document: Mapping[str, Any]) -> str:
    """Return the page of the report of a training without a search. It has no script."""
    from markupsafe import Markup

    style = asset("report.css")
    return (
        environment()
        .get_template("training.html")
        .render(
            d=document,
            style=Markup(style),
            policy=policy(style),
            titles={},
            **_of_training(document["trained"]),
        )
    )


def _of_training(trained: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        "agreement": training_charts.agreement_chart(trained),
        "curves": training_charts.curve_charts(trained),
        "shades": training_charts.shades((trained or {}).get("mistakes", {})),
    }


def policy(style: str, script: str | None = None) -> str:
    """Return the content security policy of a page with this style and this script; None stands for no script."""
    scripts = "'none'" if script is None else f"'{_hash(script)}'"
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src {scripts}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


@functools.cache
def environment() -> Environment:
    """Return the environment for templates. It escapes every value and makes invisible characters visible."""
    from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
    from markupsafe import Markup

    def finalize(value: Any) -> Any:
        if value is None:
            return DASH
        # Markup was escaped by a filter already.
        is_text = isinstance(value, str) and not isinstance(value, (Markup, charts.SvgPath))
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
    """Return the text of a file in the folder of the templates."""
    return files("denas_core.report").joinpath("templates", name).read_text(encoding="utf-8")


def tooltip_data(document: Mapping[str, Any], plots: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the data of the tooltips: a short row for each trial, and the coordinates of the points of each chart."""
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
    """Return the title of a metric."""
    title: str = context["titles"].get(name, name)
    return title


def _hash(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
