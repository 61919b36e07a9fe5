from __future__ import annotations

import dataclasses
import json
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denas_core.contracts.component import Component, option
from denas_core.errors import ConfigError, PluginError
from denas_core.registry.options import describe_options, make_component, options_model


@dataclasses.dataclass(kw_only=True)
class Oven(Component):
    """A component with an option of every kind."""

    heat: int = option(200, "Degrees Celsius", at_least=50, at_most=300)
    rise: float = option(1.5, "Factor", above=0)
    mode: Literal["fan", "grill"] = option("fan", "Where the heat comes from")
    is_on: bool = option(False, "Whether it is on")
    racks: list[int] = option([1, 2], "Racks in use")
    weights: dict[str, float] = option({}, "Weight by dish")
    label: str | None = None
    model_name: str = "basic"


def make(**options: Any) -> Oven:
    return make_component(Oven, options, id="kitchen/oven", origin="run.yaml:7")


def refusal(**options: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        make(**options)
    return str(caught.value)


def test_a_component_without_options_has_the_defaults_and_its_id() -> None:
    oven = make()
    assert oven == Oven()
    assert oven.id == "kitchen/oven"


def test_a_component_that_no_plugin_provides_is_named_by_its_class() -> None:
    assert Oven().id == f"{__name__}:Oven"


def test_options_become_fields() -> None:
    oven = make(heat=50, rise=2, mode="grill", is_on=True, racks=[], weights={"pie": 1}, label="a")
    assert oven == Oven(
        heat=50, rise=2.0, mode="grill", is_on=True, racks=[], weights={"pie": 1.0}, label="a"
    )
    assert type(oven.rise) is float


def test_mutable_defaults_are_copied_for_each_component() -> None:
    first, second = make(), make()
    first.racks.append(3)
    first.weights["pie"] = 1.0
    Oven().racks.append(4)
    assert (second.racks, second.weights) == ([1, 2], {})
    assert (make().racks, Oven().racks) == ([1, 2], [1, 2])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"heat": 49}, "option 'heat' of 'kitchen/oven': should be greater than or equal to 50, got 49"),
        ({"heat": 301}, "option 'heat' of 'kitchen/oven': should be less than or equal to 300, got 301"),
        ({"heat": 100.0}, "option 'heat' of 'kitchen/oven': should be a valid integer, got 100.0"),
        ({"heat": "100"}, "option 'heat' of 'kitchen/oven': should be a valid integer, got '100'"),
        ({"heat": True}, "option 'heat' of 'kitchen/oven': should be a valid integer, got True"),
        ({"heat": None}, "option 'heat' of 'kitchen/oven': should be a valid integer, got None"),
        ({"rise": 0}, "option 'rise' of 'kitchen/oven': should be greater than 0, got 0"),
        ({"rise": False}, "option 'rise' of 'kitchen/oven': should be a valid number, got False"),
        ({"mode": "steam"}, "option 'mode' of 'kitchen/oven': should be 'fan' or 'grill', got 'steam'"),
        ({"is_on": 1}, "option 'is_on' of 'kitchen/oven': should be a valid boolean, got 1"),
        ({"is_on": "no"}, "option 'is_on' of 'kitchen/oven': should be a valid boolean, got 'no'"),
        ({"racks": 1}, "option 'racks' of 'kitchen/oven': should be a valid array, got 1"),
        ({"racks": [1, "2"]}, "option 'racks.1' of 'kitchen/oven': should be a valid integer, got '2'"),
        (
            {"weights": {"pie": "1"}},
            "option 'weights.pie' of 'kitchen/oven': should be a valid number, got '1'",
        ),
        ({"weights": ["pie"]}, "option 'weights' of 'kitchen/oven': should be an object, got ['pie']"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_its_source(options: dict[str, Any], message: str) -> None:
    assert refusal(**options) == f"{message} (run.yaml:7)"


def test_an_unknown_option_is_refused_with_the_nearest_or_all() -> None:
    assert refusal(heats=1) == "'kitchen/oven' has no option 'heats' (run.yaml:7); did you mean 'heat'?"
    assert refusal(xyz=1) == (
        "'kitchen/oven' has no option 'xyz' (run.yaml:7); "
        "it has heat, rise, mode, is_on, racks, weights, label, model_name"
    )


def test_a_component_without_options_says_that_it_has_none() -> None:
    with pytest.raises(ConfigError) as caught:
        make_component(Component, {"x": 1}, id="a/b")
    assert str(caught.value) == "'a/b' has no option 'x'; it has none"


@pytest.mark.parametrize("value", [{1, 2}, [float("nan")], b"x", 10**5000, object()], ids=type)
def test_what_json_cannot_hold_is_no_option(value: object) -> None:
    assert refusal(rise=value).startswith("options of 'kitchen/oven' are not plain values (run.yaml:7): ")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_none_is_named(value: float) -> None:
    assert refusal(rise=value) == (
        f"option 'rise' of 'kitchen/oven': should be a finite number, got {value} (run.yaml:7)"
    )


def test_endless_nesting_is_no_option() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    assert refusal(racks=value).startswith("options of 'kitchen/oven' are not plain values (run.yaml:7): ")


def test_text_that_is_no_unicode_is_no_option() -> None:
    message = refusal(label="\ud800")
    assert message.startswith("'kitchen/oven' cannot be read (run.yaml:7): Invalid JSON: ")


def test_options_that_do_not_fit_together_are_refused_in_the_words_of_the_component() -> None:
    @dataclasses.dataclass(kw_only=True)
    class Timed(Component):
        start: int = 0
        stop: int = 1

        def __post_init__(self) -> None:
            if self.stop <= self.start:
                raise ValueError("stop must come after start")

    with pytest.raises(ConfigError) as caught:
        make_component(Timed, {"start": 3}, id="kitchen/timed", origin="run.yaml:7")
    assert str(caught.value) == (
        "options of 'kitchen/timed' do not fit together (run.yaml:7): stop must come after start"
    )


def test_what_is_shown_of_a_long_value_is_cut() -> None:
    assert len(refusal(mode="x" * 10_000)) < 250


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.dictionaries(
        st.sampled_from([f.name for f in dataclasses.fields(Oven)]) | st.text(), plain, max_size=4
    )
)
def test_any_plain_options_are_accepted_or_refused_in_one_line(options: dict[str, Any]) -> None:
    try:
        oven = make_component(Oven, options, id="kitchen/oven")
    except ConfigError as error:
        assert "\n" not in str(error)
    else:
        given_back = oven.options()
        assert {name: given_back[name] for name in options} == options
        restored = make_component(Oven, json.loads(json.dumps(given_back)), id="kitchen/oven")
        assert restored == oven


def test_options_are_described_for_json() -> None:
    rows = {row["name"]: row for row in json.loads(json.dumps(describe_options(Oven)))}
    assert list(rows) == [field.name for field in dataclasses.fields(Oven)]
    assert rows["heat"] == {
        "name": "heat",
        "type": "int",
        "default": 200,
        "help": "Degrees Celsius",
        "bounds": {">=": 50, "<=": 300},
    }
    assert rows["rise"]["bounds"] == {">": 0}
    assert rows["mode"]["type"] == "fan | grill"
    assert rows["racks"] == {
        **{"name": "racks", "type": "list[int]", "default": [1, 2], "help": "Racks in use", "bounds": {}}
    }
    assert (rows["label"]["type"], rows["label"]["default"], rows["label"]["help"]) == (
        "str | None",
        None,
        "",
    )


def test_an_option_without_default_is_the_fault_of_the_plugin() -> None:
    @dataclasses.dataclass(kw_only=True)
    class Bare(Component):
        heat: int

    with pytest.raises(
        PluginError, match=r"the options of .*Bare cannot be read: TypeError: option 'heat' has no default"
    ):
        options_model(Bare)


def test_an_option_that_cannot_be_checked_is_the_fault_of_the_plugin() -> None:
    @dataclasses.dataclass(kw_only=True)
    class Odd(Component):
        oven: Kitchen = None  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(
        PluginError, match=r"the options of .*Odd cannot be read: NameError: name 'Kitchen' is not"
    ):
        make_component(Odd, {}, id="kitchen/odd")
