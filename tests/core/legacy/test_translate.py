"""Configurations of the original DE-NAS: what all domains share, and the account of every key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from denas_core.cli.commands.importing import _refusal
from denas_core.contracts.original import KeyTable, Legacy, Outcome
from denas_core.errors import ConfigError
from denas_core.legacy.page import commented_yaml
from denas_core.legacy.rules import bound, to
from denas_core.legacy.search_keys import SEARCH_KEYS
from denas_core.legacy.translate import IMPLIED, Imported, import_config
from denas_core.registry.registry import Registry
from denas_core.setup.config import make_config
from denas_core.system.guarded_yaml import load_mapping
from tests.core.toy_searches import denas_here

from .imports import CLASSIC, imported, keys_by_fate

REGISTRY = Registry.discover()

STAIRS = KeyTable(
    keys={"step_width": to("space.width"), "budget_size": bound("params", "<=")},
    unused={"stairs have no colour": "colour"},
    missing={"stairs here have none": "handrail"},
    elsewhere={"step_width": "floor"},
    fixed={"material": "wood"},
    implied=lambda old: Outcome(settings={"seed": 3}, note="it always had"),
)


@pytest.fixture
def stairs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A space that reads a domain of the original."""
    from denas_toy.stairs import Stairs

    legacy = Legacy(domains=("stairs", "staircase"), search=STAIRS)
    monkeypatch.setattr(Stairs, "legacy", classmethod(lambda cls: legacy))


def translated(**keys: Any) -> Imported:
    return imported("domain: stairs", **{"seed": 0, **keys})


@pytest.mark.usefixtures("stairs")
def test_a_space_says_what_its_keys_mean_and_the_core_what_all_domains_share() -> None:
    found = translated(step_width=3, budget_size=1000, seed=7, m_prob=0.3, saliency_weight=2)
    assert found.document == {
        "space": {"name": "toy/stairs", "width": 3},
        "score": {**CLASSIC, "weights": {"saliency": 2}},
        "strategy": {"name": "builtin/evolution", "layer_probability": 0.3},
        "constraints": ["params<=1000"],
        "seed": 7,
    }
    assert make_config(found.document, origin="test").seed == 7


@pytest.mark.usefixtures("stairs")
def test_the_account_says_of_every_key_what_became_of_it() -> None:
    keys = {"colour": "red", "handrail": 1, "floor": 2, "material": "wood", "unheard_of": 1, "seed": None}
    found = translated(step_width=8, max_epochs=None, steb_width=2, **keys)
    assert keys_by_fate(found) == {
        "translated": {"domain", IMPLIED},
        "default": {"step_width", "material"},
        "unused": {"colour", "max_epochs", "seed"},
        "missing": {"handrail"},
        "elsewhere": {"floor"},
        "unknown": {"unheard_of", "steb_width"},
    }
    assert "did you mean 'step_width'?" in found.outcomes["steb_width"].note
    assert found.document == {"space": {"name": "toy/stairs"}, "score": CLASSIC, "seed": 3}
    stone = translated(material="stone").outcomes["material"]
    assert (stone.fate, stone.note) == ("missing", "it cannot be chosen here; it is always wood")
    page = commented_yaml(found, origin="old.conf")
    assert "# Left out: without effect in the original:\n" in page
    assert '#   colour: "red": stairs have no colour\n' in page


@pytest.mark.usefixtures("stairs")
def test_an_engine_reads_its_own_budget_alone_and_generations_become_candidates() -> None:
    budgets = {"max_epochs": 2, "random_max_epochs": 300, "sigopt_max_epochs": 40}
    for engine, budget, strategy in (
        ("EvolutionarySearchEngine", 200, None),
        ("RandomSearchEngine", 300, {"name": "builtin/random"}),
        ("SigoptSearchEngine", 40, {"name": "optuna/tpe"}),
        ("MOSigoptSearchEngine", 40, {"name": "optuna/nsga2"}),
    ):
        found = translated(search_engine=engine, population_num=50, **budgets)
        assert found.document["budget"] == budget
        assert found.document.get("strategy") == strategy
        assert len(keys_by_fate(found)["unused"] & set(budgets)) == 2
    assert "is gone" in translated(search_engine="SigoptSearchEngine").outcomes["search_engine"].note
    assert "no engine" in translated(search_engine="Psychic").outcomes["search_engine"].note
    sizes = {"population_num": 20, "mutation_num": 10, "crossover_num": 5}
    assert translated(max_epochs=4, **sizes).document["budget"] == 4 * 35
    assert "budget" not in translated(max_epochs=0).document


@pytest.mark.usefixtures("stairs")
def test_engines_of_the_hosted_service_become_optuna_for_the_score_or_for_score_and_latency() -> None:
    found = translated(search_engine="SigoptSearchEngine", population_num=20, m_prob=0.3)
    assert "objectives" not in found.document
    assert keys_by_fate(found)["unused"] == {"population_num", "m_prob"}
    found = translated(search_engine="MOSigoptSearchEngine")
    assert found.document["objectives"] == ["score", "latency_ms"]
    assert 'objectives: ["score", "latency_ms"]  # search_engine' in commented_yaml(found, origin="old.conf")
    assert make_config(found.document, origin="test").strategy.name == "optuna/nsga2"


@pytest.mark.usefixtures("stairs")
def test_a_strategy_that_is_not_installed_is_translated_and_its_plugin_named() -> None:
    registry = Registry([each for each in Registry.discover().plugins if each.name != "optuna"])
    old = {"domain": "stairs", "search_engine": "SigoptSearchEngine", "sigopt_max_epochs": 40}
    found = import_config(old, registry, origin="old.conf")
    assert found.document["strategy"] == {"name": "optuna/tpe"}
    refusal = _refusal(found, registry)
    assert refusal == (
        "strategy 'optuna/tpe' needs the plugin 'optuna', which is not installed; install it with: "
        "pip install denas-optuna"
    )


@pytest.mark.usefixtures("stairs")
def test_evolution_without_random_candidates_keeps_our_numbers() -> None:
    found = translated(population_num=0, mutation_num=1, crossover_num=0, select_num=512, max_epochs=1000)
    assert found.document == {"space": {"name": "toy/stairs"}, "score": CLASSIC, "budget": 1000}


@pytest.mark.usefixtures("stairs")
@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("step_width", value) for value in ("wide", 2.5, True)),
        *(("budget_size", value) for value in (0, -3)),
        *(("seed", [1]), ("search_engine", 3), ("saliency_weight", float("inf"))),
    ],
)
def test_values_that_cannot_be_read_are_named_with_key_and_file(key: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=rf"'{key}' .*old\.conf.*must be"):
        translated(**{key: value})


@pytest.mark.usefixtures("stairs")
def test_a_training_of_a_domain_of_which_only_searches_are_read_is_refused() -> None:
    with pytest.raises(ConfigError, match="is of a training for the domain 'stairs', of which only searches"):
        translated(train_epochs=3)


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

    code = """
        from denas_core import hookimpl

        @hookimpl
        def denas_spaces():
            return {"half": "nowhere:Half"}
    """
    points = [*importlib.metadata.entry_points(group="denas"), install("half_spaces", code)]
    found = import_config({"model_type": "cnn"}, Registry.discover(points), origin="old.conf")
    assert found.space == "cv/cnn"


def test_dangerous_files_are_refused_like_any_configuration(tmp_path: Path) -> None:
    for text in ("a: &x [1]\nb: *x\n", "domain: !!python/name:os.system x\n", "- 1\n", "seed: 1\nseed: 2\n"):
        (tmp_path / "bad.conf").write_text(text)
        assert denas_here("config", "import", str(tmp_path / "bad.conf"), "--domain", "cnn").returncode == 2


values = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.lists(st.integers())
)


@pytest.mark.usefixtures("stairs")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.sampled_from([*SEARCH_KEYS.rules(), *STAIRS.rules()]) | st.text(max_size=20), values, max_size=8
    )
)
def test_any_old_file_is_refused_or_becomes_a_page_that_reads_back(document: dict[str, Any]) -> None:
    try:
        found = import_config({**document, "domain": "stairs"}, REGISTRY, origin="old\n.conf")
    except ConfigError:
        return
    for outcome in found.outcomes.values():
        assert outcome.settings or outcome.constraints or outcome.note or outcome.fate == "default"
    page = commented_yaml(found, origin="old\n.conf")
    assert load_mapping(page, origin="page") == found.document
    json.dumps(found.document, allow_nan=False)
