"""Configurations of the original DE-NAS: what all domains share, and the account of every key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denas_core.errors import ConfigError
from denas_core.legacy import Legacy, OldConfig, bound, dropped, to
from denas_core.legacy.page import commented_yaml
from denas_core.legacy.search_keys import SEARCH_KEYS
from denas_core.legacy.translate import Imported, import_config
from denas_core.registry.registry import Registry
from denas_core.setup.config import make_config
from denas_core.system.guarded_yaml import load_mapping
from tests.core.toy_searches import denas_here

STAIRS = Legacy(
    domains=("stairs", "staircase"),
    keys={
        "step_width": to("space.width"),
        "budget_size": bound("params", "<="),
        "colour": dropped("stairs have no colour"),
    },
)


@pytest.fixture
def stairs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A space that reads a domain of the original."""
    from denas_toy.stairs import Stairs

    monkeypatch.setattr(Stairs, "legacy", classmethod(lambda cls: STAIRS))


def translated(**document: Any) -> Imported:
    return import_config({"domain": "stairs", **document}, Registry.discover(), origin="old.conf")


def fates(imported: Imported) -> dict[str, str]:
    return {key: outcome.fate for key, outcome in imported.outcomes.items()}


@pytest.mark.usefixtures("stairs")
def test_a_space_says_what_its_keys_mean_and_the_core_what_all_domains_share() -> None:
    imported = translated(step_width=3, budget_size=1000, seed=7, m_prob=0.3, saliency_weight=2)
    assert imported.document == {
        "space": {"name": "toy/stairs", "width": 3},
        "score": {"name": "scores/de-score", "weights": {"saliency": 2}},
        "strategy": {"name": "builtin/evolution", "layer_probability": 0.3},
        "constraints": ["params<=1000"],
        "seed": 7,
    }
    assert imported.config.seed == 7
    assert set(fates(imported).values()) == {"translated"}


@pytest.mark.usefixtures("stairs")
def test_every_key_is_accounted_for_in_the_order_of_the_file() -> None:
    keys = {"colour": "red", "unheard_of": 1, "step_width": 8, "seed": 0, "max_epochs": None, "steb_width": 2}
    imported = translated(**keys)
    assert list(imported.outcomes) == ["domain", *keys]
    assert fates(imported) == {
        "domain": "translated",
        "colour": "dropped",
        "unheard_of": "unknown",
        "step_width": "default",
        "seed": "default",
        "max_epochs": "dropped",
        "steb_width": "unknown",
    }
    assert imported.outcomes["colour"].note == "stairs have no colour"
    assert "did you mean 'step_width'?" in imported.outcomes["steb_width"].note
    assert imported.document == {"space": {"name": "toy/stairs"}}


@pytest.mark.usefixtures("stairs")
def test_generations_become_candidates() -> None:
    sizes = {"population_num": 20, "mutation_num": 10, "crossover_num": 5}
    imported = translated(max_epochs=4, **sizes)
    assert imported.document["budget"] == 4 * 35
    assert imported.document["strategy"] == {
        "name": "builtin/evolution",
        "population": 20,
        "mutations": 10,
        "crossovers": 5,
    }
    # What the original took where its file was silent: 50, 25, 25.
    assert translated(max_epochs=10).document["budget"] == 1000
    assert "budget" not in translated(max_epochs=0).document


@pytest.mark.usefixtures("stairs")
def test_an_engine_reads_its_own_budget_alone() -> None:
    budgets = {"max_epochs": 2, "random_max_epochs": 300, "sigopt_max_epochs": 40}
    for engine, budget, strategy in (
        ("EvolutionarySearchEngine", 200, None),
        ("RandomSearchEngine", 300, {"name": "builtin/random"}),
        ("SigoptSearchEngine", 40, None),
        ("MOSigoptSearchEngine", 40, None),
    ):
        imported = translated(search_engine=engine, population_num=50, **budgets)
        assert imported.document["budget"] == budget
        assert imported.document.get("strategy") == strategy
        assert sum(fates(imported)[key] == "dropped" for key in budgets) == 2
    assert fates(translated(search_engine="SigoptSearchEngine"))["search_engine"] == "changed"
    assert fates(translated(search_engine="Psychic"))["search_engine"] == "changed"


@pytest.mark.usefixtures("stairs")
def test_evolution_without_random_candidates_keeps_our_numbers() -> None:
    imported = translated(population_num=0, mutation_num=1, crossover_num=0, select_num=512, max_epochs=1000)
    assert imported.document == {"space": {"name": "toy/stairs"}, "budget": 1000}
    assert fates(imported)["mutation_num"] == "changed"


@pytest.mark.usefixtures("stairs")
def test_values_that_cannot_be_read_are_named_with_key_and_file() -> None:
    for key, value in (
        ("step_width", "wide"),
        ("step_width", 2.5),
        ("step_width", True),
        ("budget_size", 0),
        ("budget_size", -3),
        ("seed", [1]),
        ("search_engine", 3),
        ("saliency_weight", float("inf")),
    ):
        with pytest.raises(ConfigError, match=rf"'{key}' .*old\.conf.*must be"):
            translated(**{key: value})


def test_domains_that_no_installed_space_reads_are_refused_with_those_that_are(tmp_path: Path) -> None:
    (tmp_path / "recsys.conf").write_text("model_type: recsys\n")
    done = denas_here("config", "import", str(tmp_path / "recsys.conf"))
    assert done.returncode == 2
    assert "'recsys'" in done.stderr and "can be imported: " in done.stderr and "cnn (cv/cnn)" in done.stderr
    (tmp_path / "none.conf").write_text("seed: 1\n")
    done = denas_here("config", "import", str(tmp_path / "none.conf"))
    assert done.returncode == 2 and "--domain" in done.stderr
    assert denas_here("config", "import", str(tmp_path / "none.conf"), "--domain", "cnn").returncode == 0


def test_a_broken_plugin_does_not_stop_an_import(install: Any) -> None:
    import importlib.metadata

    broken = install(
        "half_spaces",
        """
        from denas_core import hookimpl

        @hookimpl
        def denas_spaces():
            return {"half": "nowhere:Half"}
    """,
    )
    points = [*importlib.metadata.entry_points(group="denas"), broken]
    imported = import_config({"model_type": "cnn"}, Registry.discover(points), origin="old.conf")
    assert imported.space == "cv/cnn"


def test_dangerous_files_are_refused_like_any_configuration(tmp_path: Path) -> None:
    for text in ("a: &x 1\nb: *x\n", "domain: !!python/name:os.system x\n", "- 1\n", "seed: 1\nseed: 2\n"):
        (tmp_path / "bad.conf").write_text(text)
        assert denas_here("config", "import", str(tmp_path / "bad.conf")).returncode == 2


values = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.lists(st.integers())
)


@given(
    st.dictionaries(st.sampled_from([*SEARCH_KEYS, *STAIRS.keys]) | st.text(max_size=20), values, max_size=8)
)
def test_any_old_file_is_refused_or_becomes_a_page_that_reads_back(document: dict[str, Any]) -> None:
    old = OldConfig(document, origin="old.conf")
    outcomes = {}
    try:
        for key in old.document:
            rule = {**SEARCH_KEYS, **STAIRS.keys}.get(key)
            if rule is not None and old.get(key) is not None:
                outcomes[key] = rule(old, key)
    except ConfigError:
        return
    for outcome in outcomes.values():
        assert outcome.settings or outcome.constraints or outcome.note
    bounds = [text for outcome in outcomes.values() for text in outcome.constraints]
    page = {"space": {"name": "toy/stairs"}, "constraints": bounds}
    imported = Imported(space="toy/stairs", document=page, outcomes=outcomes, old=old.document)
    text = commented_yaml(imported, origin="old\n.conf")
    assert load_mapping(text, origin="page") == {**page, "constraints": bounds or None}
    json.dumps(page, allow_nan=False)
    make_config(page, origin="test")
