"""Two hundred texts that want to be more than text, and a run that carries some in every place it has."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

from denas_core.results.insight import Insight
from denas_core.runs.store import Store
from denas_core.values.architecture import Architecture
from denas_core.values.trial import Evaluation, Trial

_CORES = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "' onfocus='alert(1)' autofocus='",
    "javascript:alert(1)",
    "<a href=javascript:alert(1)>x</a>",
    "<svg/onload=alert(1)>",
    "</svg><foreignObject><iframe srcdoc='<b>'></iframe></foreignObject>",
    "</style><style>*{display:none}</style>",
    "{{7*7}}",
    "{% for x in ().__class__.__base__.__subclasses__() %}{{x}}{% endfor %}",
    "{# comment #}",
    "${7*7}#{7*7}<%= 7*7 %>",
    "<!-- --><![CDATA[ ]]>",
    "&lt;script&gt;&#60;script&#62;&quot;&amp;amp;",
    "<base href='//evil.example'><meta http-equiv=refresh content=0>",
    '" style="background:url(//evil.example)',
    "<math><mtext></mtext></math><template><p></template>",
    "]]>--><title></title><textarea></pre></table></section></main>",
    "\u202eEXE.txt\u202c\u2066x\u2069\u200b\ufeff",
    "line\u2028paragraph\u2029end",
    "\x00\x01\x07\x08\x1b[31mred\x1b[0m\x7f\x85\x9f",
    "tab\tand\r\nbreaks\n\n\nmore",
    '=HYPERLINK("http://evil.example";"x")',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1:A9)",
    "\t=1+1",
    "\r=1+1",
    "\ue000\U000e0041\U0010ffff\ufffe",
    "a" * 20_000 + "<b>",
    "$(rm -rf /) `id` ; & | > < * ? ' \" \\ !",
    "--out",
    "é中文🙂 e\u0301\u0301\u0301\u0301",
    "None",
    "",
    " ",
    "#r1",
    "0",
]
_WRAPS = ["{}", "x{}", "{}y", '"{}"', "'>{}<'"]

TEXTS = [wrap.replace("{}", core) for wrap, core in itertools.product(_WRAPS, _CORES)]


def hostile_run(path: Path, texts: list[str]) -> tuple[Store, Insight]:
    """Write a run whose names, values, reasons and options are `texts`, each place taking the next of them."""
    given = itertools.cycle(texts)
    names = [f"{next(given)}{i}" for i in range(6)]
    space, knob, layer, component, other, plugin = names
    choices = [next(given), next(given)]
    config: dict[str, Any] = {
        "space": {"name": space, next(given): next(given)},
        "score": {"name": next(given), "weights": {component: 1.0}},
        "strategy": {"name": next(given)},
        "constraints": ["params<=900", "latency_ms<=9"],
        "objectives": ["score", "params"],
        "budget": 30,
        "seed": 0,
        "device": "cpu",
        "threads": 1,
        "out": next(given),
    }
    header = {
        "config": config,
        "fingerprint": next(given),
        "distributions": {plugin: next(given)},
        "environment": {next(given): next(given), "processor": next(given)},
        "started": next(given),
    }
    path.mkdir(parents=True, exist_ok=True)
    store = Store.create(path / "study.db", header)
    rng = random.Random(0)
    values: dict[str, float | None] = {}
    for index in range(24):
        key = f"{next(given)}{index}"
        arch = Architecture(space, {knob: choices[index % 2], layer: index % 3}, key)
        metrics = {
            "params": 100.0 + rng.random() * index * 40,
            "flops": 1e6 * (index + 1),
            "latency_ms": 1.0 + index,
        }
        latency = {
            "median": metrics["latency_ms"],
            "low": 0.9,
            "high": 9.5,
            "verdict": next(given) if index % 2 else "stable",
            "rounds": 30,
            "relative": None,
        }
        if index % 4 == 3:
            state = "failed" if index % 8 == 3 else "infeasible"
            reason = next(given).strip() or "x"
            evaluation = Evaluation(state=state, reason=reason, metrics=metrics, violation=0.5)  # type: ignore[arg-type]
        else:
            values[key] = -float(index)
            evaluation = Evaluation(
                state="scored",
                components={component: rng.random(), other: rng.random()},
                metrics=metrics,
                latency=latency,
                seconds={component: 0.1},
            )
        trial = Trial(index=index, generation=index // 8, arch=arch, evaluation=evaluation)
        store.append(trial, active_seconds=1.0)
    block = {"count": 1, "shape": [3, 3], "params": 5, "flops": 7}
    insight = Insight(
        values=values,
        weights={component: 1.0, other: 1.0},
        directions={component: "maximize", other: "minimize"},
        is_relative=True,
        constraints=[{"text": next(given), "metric": "params", "upper": True, "bound": 900.0}],
        ranges={"params": [10.0, 2000.0]},
        objectives=["score", "params"],
        drawing={
            "params": 10,
            "flops": 14,
            "blocks": [
                {
                    "name": next(given),
                    "last": next(given),
                    "type": next(given),
                    "of": {next(given): 2},
                    **block,
                }
                | {"holds": {next(given): 1}}
                for _ in range(2)
            ],
        },
        notation=next(given) or "x",
        size="12",
        notices=[next(given) for _ in range(3)],
    )
    return store, insight
