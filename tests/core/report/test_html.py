from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from denas_core.report.gather import gather
from denas_core.report.page.html import render_html
from denas_core.report.page.text import visible

from .hostile import TEXTS, hostile_run
from .pages import Page, sha256_source

RUNS = 20


def page_of(path: Path, texts: list[str], run: str = "run") -> tuple[Page, str, dict[str, Any]]:
    store, insight = hostile_run(path, texts)
    try:
        document = gather(Path(run), store, insight)
    finally:
        store.close()
    html = render_html(document)
    return Page(html), html, document


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Page:
    return page_of(tmp_path_factory.mktemp("clean"), [f"name{i}" for i in range(97)])[0]


def test_there_are_two_hundred_hostile_texts() -> None:
    assert len(set(TEXTS)) == 200


@pytest.mark.parametrize("number", range(RUNS))
def test_a_hostile_run_gives_a_page_with_the_elements_of_a_clean_one(
    number: int, clean: Page, tmp_path: Path
) -> None:
    # Every run carries all texts of its share in turn; the places they fall on differ from run to run.
    share = TEXTS[number::RUNS]
    path = "runs/" + share[number % len(share)].replace("\0", "")[:80]
    page, html, document = page_of(tmp_path, share, path)
    assert page.unclosed == []
    assert page.elements.keys() <= clean.elements.keys()
    assert page.attributes <= clean.attributes
    assert not [
        name for name in page.attributes if name.startswith("on") or name in ("style", "src", "srcdoc")
    ]
    assert all(re.fullmatch(r"#[a-z0-9]+", link) for link in page.values["href"])
    assert len(page.ids) == len(set(page.ids))
    for kind, directive in (("style", "style-src"), ("script", "script-src")):
        assert page.allowed(directive) == [sha256_source(page.inside[kind])]
    assert json.loads(page.inside["script application/json"])["trials"]
    assert "<" not in page.inside["script application/json"]
    assert not [
        c for c in html if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp", "Co")
    ]
    # What a template engine would have made of it.
    assert "49" not in page.inside.get("h1", "")
    assert visible(document["space"]["id"]) in page.inside["h1"]


def test_the_page_may_load_nothing_and_run_only_its_own_script(clean: Page) -> None:
    assert clean.allowed("default-src") == ["'none'"]
    assert clean.allowed("img-src") == ["data:"]
    assert clean.allowed("base-uri") == clean.allowed("form-action") == ["'none'"]
    assert "unsafe" not in clean.policy and "http" not in clean.policy
    assert not {tag for tag, _ in clean.elements} & {
        "img",
        "link",
        "iframe",
        "object",
        "embed",
        "form",
        "base",
    }


def test_the_page_can_be_found_through_without_eyes_or_mouse(clean: Page) -> None:
    tags = {tag for tag, _ in clean.elements}
    assert {"main", "nav", "header", "footer", "h1", "h2", "caption"} <= tags
    tables = sum(count for (tag, _), count in clean.elements.items() if tag == "table")
    captions = sum(count for (tag, _), count in clean.elements.items() if tag == "caption")
    assert tables == captions > 5
    assert all("scope" in names for tag, names in clean.elements if tag == "th")
    links = [value[1:] for value in clean.values["href"]]
    assert set(links) <= set(clean.ids)
    assert {name for label in clean.values["aria-labelledby"] for name in label.split()} <= set(clean.ids)
    points = [names for tag, names in clean.elements if tag == "a" and "data-trial" in names]
    assert points and all("aria-label" in names for names in points)
    assert clean.values["lang"] == ["en"]


def test_every_section_is_there_in_order(clean: Page) -> None:
    wanted = ["verdict", "confidence", "front", "time", "finalists", "knobs", "budgets", "network", "latency"]
    wanted += ["failures", "provenance", "next"]
    assert [name for name in clean.ids if name in wanted] == wanted


def test_what_cannot_be_seen_is_shown() -> None:
    assert visible("a\x00b\x1b\x7f") == "a␀b␛␡"
    assert visible("x\u202ey") == "x⟨U+202E⟩y"
    assert visible("\ud800") == "⟨U+D800⟩"
    assert visible("one\ntwo") == "one\ntwo"
    assert visible("é中文🙂") == "é中文🙂"
    assert visible("a" * 3000).endswith("… (1000 further characters)")


@pytest.mark.parametrize(
    ("probe", "said"),
    [
        ({"batch_size": 1}, "in milliseconds, one sample in each call;"),
        ({"batch_size": 32}, "in milliseconds, 32 samples in each call;"),
        ({"batch_size": "<b>"}, "in milliseconds;"),
        ({}, "in milliseconds;"),
    ],
)
def test_latencies_say_how_many_samples_a_call_has(probe: dict[str, Any], said: str, tmp_path: Path) -> None:
    _, _, document = page_of(tmp_path, ["name"])
    document["provenance"]["config"]["probe"] = {"name": "builtin/wall-clock", **probe}
    document["budgets"]["constraints"] = [
        {"text": "x", "metric": "latency_ms", "bound": 9.0, "best": 1.0, "margin": None, "binds": False}
        | {"range": None, "rejected": 0}
    ]
    assert said in Page(render_html(document)).text


def test_a_component_is_not_shown_under_the_title_of_a_metric(tmp_path: Path) -> None:
    _, _, document = page_of(tmp_path, ["name"])
    numbers = {"best": 2.0, "low": 1.0, "median": 1.5, "high": 1.8, "beaten": 0.5, "direction": "maximize"}
    document["comparison"] = {
        "count": 4,
        "is_member": False,
        "rows": [{"name": "flops", "kind": kind, **numbers} for kind in ("component", "metric")],
    }
    page = render_html(document)
    assert '<th scope="row">flops (component)</th>' in page
    assert page.count('<th scope="row">FLOPs</th>') == 1
