from __future__ import annotations

from pathlib import Path

import pytest

from denas_core.cli import _run
from denas_core.errors import ConfigError, DenasError, NotInstalled, PluginError
from denas_core.registry.loading import Kind, Plugin
from denas_core.registry.official import PLUGINS
from denas_core.registry.registry import CONTRACTS, Registry
from tests.core.plugin_modules import GOOD, GOOD_SCORES, Install


@pytest.fixture
def registry(install: Install) -> Registry:
    install("good_scores", GOOD_SCORES)
    return Registry.discover([install("good", GOOD), install("broken", "1 / 0")])


def refusal(registry: Registry, kind: Kind, name: str, error: type[DenasError]) -> str:
    with pytest.raises(DenasError) as caught:
        registry.load(kind, name)
    assert type(caught.value) is error
    return str(caught.value)


def test_a_component_is_found_by_its_id_and_by_its_bare_name(registry: Registry) -> None:
    assert registry.resolve("score", "good/zen") == registry.resolve("score", "zen") == "good/zen"
    assert registry.load("score", "zen").__name__ == "Zen"


def test_a_bare_name_of_several_plugins_is_refused_and_the_full_id_works(install: Install) -> None:
    install("good_scores", GOOD_SCORES)
    registry = Registry.discover([install("good", GOOD), install("better", GOOD)])
    assert refusal(registry, "score", "zen", ConfigError) == (
        "score 'zen' is ambiguous: better/zen, good/zen; write the full id"
    )
    assert registry.create("score", "better/zen").id == "better/zen"


@pytest.mark.parametrize("kind", CONTRACTS)
def test_a_bare_name_of_the_core_means_its_component_in_every_group(kind: Kind) -> None:
    core, early, late = (
        Plugin(
            name=name,
            distribution=name,
            version="1",
            status="ok",
            components={kind: {"same": "module:Class"}},
        )
        for name in ("builtin", "alpha", "zeta")
    )
    registry = Registry([early, core, late])
    assert registry.resolve(kind, "same") == "builtin/same"
    assert registry.resolve(kind, "zeta/same") == "zeta/same"
    assert registry.kind_of("same") == kind
    assert Registry([core]).resolve(kind, "same") == "builtin/same"
    with pytest.raises(ConfigError, match=r"is ambiguous: alpha/same, zeta/same; write the full id$"):
        Registry([early, late]).resolve(kind, "same")


def test_a_component_of_a_broken_plugin_says_why(registry: Registry) -> None:
    assert refusal(registry, "score", "broken/zen", PluginError) == (
        "score 'broken/zen' is unavailable: plugin 'broken' (unknown unknown) is broken: "
        "ZeroDivisionError: division by zero; 'denas doctor' says how to fix it"
    )


@pytest.mark.parametrize("name", sorted(PLUGINS))
def test_an_official_plugin_that_is_missing_comes_with_its_pip_line(name: str) -> None:
    assert refusal(Registry([]), "space", f"{name}/x", NotInstalled) == (
        f"space '{name}/x' needs the plugin '{name}', which is not installed; "
        f"install it with: pip install denas-{name}"
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "goood/zen",
            "score 'goood/zen' needs the plugin 'goood', which is not installed; did you mean 'good/zen'?",
        ),
        ("xyz/abc", "score 'xyz/abc' needs the plugin 'xyz', which is not installed"),
        (
            "good/zenn",
            "no installed plugin has a score 'good/zenn'; did you mean 'good/zen'?; installed: good/width, good/zen",
        ),
        (
            "widht",
            "no installed plugin has a score 'widht'; did you mean 'width'?; installed: good/width, good/zen",
        ),
        ("", "no installed plugin has a score ''; installed: good/width, good/zen"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(registry: Registry, name: str, message: str) -> None:
    assert refusal(registry, "score", name, NotInstalled) == message


def test_a_kind_that_no_plugin_provides_says_so(registry: Registry) -> None:
    assert refusal(registry, "space", "zen", NotInstalled) == (
        "no installed plugin has a space 'zen'; installed: none"
    )


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        (
            "no_module:C",
            "cannot be imported from 'no_module:C': ModuleNotFoundError: No module named 'no_module'",
        ),
        ("bad:C", "cannot be imported from 'bad:C': AttributeError: module 'bad' has no attribute 'C'"),
        ("bad", "cannot be imported from 'bad': AttributeError: module 'bad' has no attribute ''"),
        ("", "cannot be imported from '': ValueError: Empty module name"),
        ("leaves:C", "cannot be imported from 'leaves:C': SystemExit: 1"),
        ("bad:number", "is not a ProxyScore or CombinedScore but 5"),
        ("bad:Stranger", "is not a ProxyScore or CombinedScore but <class 'bad.Stranger'>"),
        ("bad:Abstract", "does not define measure"),
    ],
)
def test_a_component_that_cannot_be_used_is_the_fault_of_its_plugin(
    install: Install, reference: str, message: str
) -> None:
    code = f"""
        from denas_core.hookspecs import hookimpl

        @hookimpl
        def denas_scores():
            return {{"zen": {reference!r}}}
    """
    install("leaves", "raise SystemExit(1)")
    install(
        "bad",
        "from denas_core import ProxyScore\nnumber = 5\nclass Stranger: pass\nclass Abstract(ProxyScore): pass\n",
    )
    registry = Registry.discover([install("plugin", code)])
    assert (
        refusal(registry, "score", "zen", PluginError) == f"score 'plugin/zen' of unknown unknown {message}"
    )


def test_a_class_may_stand_in_for_its_lazy_name(install: Install) -> None:
    code = f"{GOOD_SCORES}\n    from denas_core.hookspecs import hookimpl\n\n    @hookimpl\n    def denas_scores():\n"
    registry = Registry.discover([install("eager", f"{code}        return {{'zen': Zen}}\n")])
    assert registry.create("score", "zen", {"size": 4}).size == 4


def test_lazy_components_are_not_imported_before_they_are_named(install: Install, tmp_path: Path) -> None:
    install("good_scores", f"{GOOD_SCORES}\n    open({str(tmp_path / 'imported')!r}, 'w').close()\n")
    registry = Registry.discover([install("good", GOOD)])
    assert registry.resolve("score", "zen") == "good/zen"
    assert not (tmp_path / "imported").exists()
    registry.load("score", "zen")
    assert (tmp_path / "imported").exists()


def test_a_created_component_has_its_full_id_and_checked_options(registry: Registry) -> None:
    zen = registry.create("score", "zen", {"size": 3})
    assert (zen.id, zen.options()) == ("good/zen", {"size": 3, "depth": 1})
    with pytest.raises(ConfigError) as caught:
        registry.create("score", "zen", {"sizes": 3}, origin="run.yaml:7")
    assert str(caught.value) == "'good/zen' has no option 'sizes' (run.yaml:7); did you mean 'size'?"


def test_a_preset_gives_options_that_the_user_may_beat(registry: Registry) -> None:
    assert registry.create("score", "zen:large").options() == {"size": 100, "depth": 3}
    assert registry.create("score", "good/zen:large", {"depth": 9}).options() == {"size": 100, "depth": 9}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("zen:larg", "score 'good/zen' has no preset 'larg'; did you mean 'large'?"),
        ("good/zen:xyz", "score 'good/zen' has no preset 'xyz'; it has large"),
    ],
)
def test_an_unknown_preset_is_refused(registry: Registry, name: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        registry.create("score", name)
    assert str(caught.value) == message


def test_a_component_without_presets_says_so() -> None:
    with pytest.raises(ConfigError, match="strategy 'builtin/random' has no preset 'large'; it has none"):
        Registry.discover().create("strategy", "random:large")


@pytest.mark.parametrize("presets", ["3", '["large"]', '{"large": 3}', '{1: {"size": 2}}', '{"a": {2: 3}}'])
def test_presets_that_are_none_are_the_fault_of_their_plugin(
    install: Install, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], presets: str
) -> None:
    install("good_scores", GOOD_SCORES.replace('{"large": {"size": 100, "depth": 3}}', presets))
    registry = Registry.discover([install("good", GOOD)])
    with pytest.raises(PluginError, match=r"^score 'zen' failed: "):
        registry.create("score", "zen:large")
    monkeypatch.setattr(Registry, "discover", lambda: registry)
    assert _run(["show", "good/zen"], debug=False) == 3
    assert capsys.readouterr().err.startswith("error: score 'good/zen' failed: ")


def test_a_kind_with_a_vowel_has_its_article(registry: Registry) -> None:
    assert refusal(registry, "exporter", "zen", NotInstalled) == (
        "no installed plugin has an exporter 'zen'; installed: none"
    )


def test_the_kind_of_a_component_is_found_by_its_name(registry: Registry) -> None:
    assert registry.kind_of("good/zen") == registry.kind_of("zen") == "score"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "zenn",
            "no installed plugin has a component 'zenn'; did you mean 'zen'?; 'denas plugins' lists them",
        ),
        (
            "cv/cnn",
            "space 'cv/cnn' needs the plugin 'cv', which is not installed; install it with: pip install denas-cv",
        ),
    ],
)
def test_a_name_without_a_kind_is_refused(registry: Registry, name: str, message: str) -> None:
    with pytest.raises(NotInstalled) as caught:
        registry.kind_of(name)
    assert str(caught.value) == message


def test_a_name_of_two_kinds_has_no_kind(install: Install) -> None:
    spaces = """
    @hookimpl
    def denas_spaces():
        return {"zen": "good_scores:Zen"}
"""
    with pytest.raises(
        ConfigError,
        match=r"^'zen' is ambiguous: there is a space and a score of that name; write the full id$",
    ):
        Registry.discover([install("good", GOOD + spaces)]).kind_of("zen")
