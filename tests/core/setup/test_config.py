from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from denas_core.cli.commands.config import TEMPLATE
from denas_core.errors import ConfigError
from denas_core.setup.config import RunConfig, as_scalar, as_yaml, make_config, read_document
from denas_core.system.guarded_yaml import load_mapping


def refusal(document: dict[Any, Any], **extra: str) -> str:
    with pytest.raises(ConfigError) as caught:
        make_config(document, origin="run.yaml", **extra)
    return str(caught.value)


def test_a_space_is_enough_and_every_default_is_written_out() -> None:
    config = make_config({"space": "cv/cnn"}, origin="run.yaml")
    assert config.as_dict() == {
        "space": {"name": "cv/cnn"},
        "score": {"name": "scores/de-score"},
        "strategy": {"name": "builtin/nsga2"},
        "probe": {"name": "builtin/wall-clock"},
        "executor": {"name": "builtin/process"},
        "constraints": [],
        "search": {"latency": "predicted"},
        "objectives": ["score", "params", "flops"],
        "budget": "60s",
        "seed": 0,
        "device": "auto",
        "threads": 1,
        "out": None,
    }


def test_a_component_is_a_name_or_a_name_with_options() -> None:
    config = make_config({"space": {"classes": 3, "name": "cv/cnn:cifar"}, "score": "zen"}, origin="f")
    assert (config.space.name, config.space.options) == ("cv/cnn:cifar", {"classes": 3})
    assert (config.score.name, config.score.options) == ("zen", {})
    assert list(config.as_dict()["space"]) == ["name", "classes"]


def test_a_configuration_survives_its_own_yaml() -> None:
    document = {
        "space": {"name": "a", "x": [1, {"y": None}]},
        "budget": 7,
        "constraints": ["params<=1M"],
        "seed": 3,
    }
    config = make_config(document, origin="f")
    assert make_config(yaml.safe_load(config.as_yaml()), origin="f") == config


def test_a_configuration_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        make_config({"space": "a"}, origin="f").seed = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"space": 5}, "key 'space' of the configuration: should be an object, got 5 (run.yaml)"),
        (
            {"space": {"classes": 3}},
            "key 'space.name' of the configuration: Field required, got {'classes': 3} (run.yaml)",
        ),
        (
            {"space": {"name": 3}},
            "key 'space.name' of the configuration: should be a valid string, got 3 (run.yaml)",
        ),
        ({"sead": 1}, "the configuration has no key 'sead' (run.yaml); did you mean 'seed'?"),
        (
            {"seed": -1},
            "key 'seed' of the configuration: should be greater than or equal to 0, got -1 (run.yaml)",
        ),
        (
            {"seed": 2**63},
            "key 'seed' of the configuration: should be less than or equal to 9223372036854775807, "
            "got 9223372036854775808 (run.yaml)",
        ),
        ({"seed": 1.0}, "key 'seed' of the configuration: should be a valid integer, got 1.0 (run.yaml)"),
        ({"seed": "1"}, "key 'seed' of the configuration: should be a valid integer, got '1' (run.yaml)"),
        (
            {"threads": True},
            "key 'threads' of the configuration: should be a valid integer, got True (run.yaml)",
        ),
        (
            {"threads": 0},
            "key 'threads' of the configuration: should be greater than or equal to 1, got 0 (run.yaml)",
        ),
        (
            {"device": "gpu"},
            "key 'device' of the configuration: should be 'auto', 'cpu' or 'cuda', got 'gpu' (run.yaml)",
        ),
        ({"out": 5}, "key 'out' of the configuration: should be a valid string, got 5 (run.yaml)"),
        (
            {"constraints": "params<=1M"},
            "key 'constraints' of the configuration: should be a valid array, got 'params<=1M' (run.yaml)",
        ),
        (
            {"constraints": [5]},
            "key 'constraints.0' of the configuration: should be a valid string, got 5 (run.yaml)",
        ),
        ({"constraints": ["params<=0"]}, "constraint 'params<=0' needs a positive, finite bound (run.yaml)"),
        ({"objectives": []}, "objectives [] must be distinct, and at least one (run.yaml)"),
        (
            {"objectives": ["params", "max:params"]},
            "objectives ['params', 'max:params'] must be distinct, and at least one (run.yaml)",
        ),
        (
            {"objectives": ["score", "score"]},
            "objectives ['score', 'score'] must be distinct, and at least one (run.yaml)",
        ),
        ({"budget": "0"}, "budget '0' must be positive and finite (run.yaml)"),
        *(
            (
                {"budget": budget},
                f"budget {budget!r} is neither a number of candidates, such as 200, "
                "nor a time, such as 60s, 5min or 2h (run.yaml)",
            )
            for budget in (True, 2.5, None, -5, "soon", [200], {"seconds": 5})
        ),
    ],
)
def test_a_value_that_does_not_fit_is_refused(changes: dict[str, Any], message: str) -> None:
    assert refusal({"space": "cv/cnn", **changes}) == message


def test_a_search_without_a_space_is_refused() -> None:
    assert refusal({}) == "key 'space' of the configuration: Field required, got {} (run.yaml)"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1}, b"x", 10**5000], ids=type)
def test_what_json_cannot_hold_is_refused(value: object) -> None:
    message = refusal({"space": {"name": "a", "x": value}})
    assert message.startswith("the configuration holds something that is not a plain value (run.yaml): ")


def test_text_that_is_no_unicode_is_refused() -> None:
    message = refusal({"space": "a", "out": "\ud800"})
    assert (
        message == "key 'out' of the configuration holds '\\ud800', which is not valid UTF-8 text (run.yaml)"
    )


def test_endless_nesting_is_refused() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    message = refusal({"space": {"name": "a", "x": value}})
    assert message.startswith("the configuration holds something that is not a plain value (run.yaml): ")


TEXT = """\
# A search.
space:
  name: cv/cnn
  classes: 10
constraints:
  - params<=1M
sead: 1
threads: 0
score: {}
"""


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"sead": 1}, "run.yaml:7"),
        ({"threads": 0}, "run.yaml:8"),
        ({"space": {"name": 5}}, "run.yaml:3"),
        ({"constraints": [5]}, "run.yaml:5"),
        ({"score": {}}, "run.yaml:9"),
        ({"from_the_command_line": 1}, "run.yaml"),
    ],
)
def test_a_refusal_names_the_line(changes: dict[str, Any], place: str) -> None:
    assert f"({place})" in refusal({"space": "a", **changes}, text=TEXT)


def test_a_file_is_read_with_its_text(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("space: cv/cnn\nbudget: 1e5\n")
    assert read_document(str(path)) == ({"space": "cv/cnn", "budget": 1e5}, "space: cv/cnn\nbudget: 1e5\n")


VALID: dict[str, list[Any]] = {
    "space": ["cv/cnn", {"name": "cv/cnn", "classes": 10}],
    "score": ["scores/de-score", {"name": "scores/de-score", "weights": {"latency": 1}}],
    "constraints": [[], ["params<=1M", "latency_ms<=5"]],
    "objectives": [["score"], ["score", "params"]],
    "budget": [200, "60s"],
    "seed": [0, 2**63 - 1],
    "device": ["cpu"],
    "threads": [1, 1024],
    "out": [None, "runs/x"],
}
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.binary(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3)
    ),
    max_leaves=6,
)
values = st.sampled_from([value for choices in VALID.values() for value in choices]) | anything
documents = st.builds(
    lambda valid, mutated: {**valid, **mutated},
    st.fixed_dictionaries(
        {"space": st.sampled_from(VALID["space"])},
        optional={key: st.sampled_from(choices) for key, choices in VALID.items() if key != "space"},
    ),
    st.dictionaries(st.sampled_from([*RunConfig.model_fields, 3]) | st.text(max_size=8), values, max_size=3),
)


@settings(max_examples=1000, deadline=None)
@given(documents)
def test_any_configuration_is_accepted_or_refused_in_one_line(document: dict[Any, Any]) -> None:
    try:
        config = make_config(document, origin="run.yaml")
    except ConfigError as error:
        assert "\n" not in str(error)
        assert "run.yaml" in str(error)
    else:
        assert make_config(config.as_dict(), origin="run.yaml") == config


HOSTILE = ["a: b", "x # y", "it's", '"q"', "*a", "", "yes", "null", "true", "1e5", "1E5", "-1e3", "012", ".5"]
HOSTILE += [
    "1:30",
    "2024-01-01",
    "+1",
    "[1",
    "{}",
    "a\nb",
    "\x07",
    "😀",
    "é",
    "~",
    "!!int 5",
    "%x",
    "a\\nb",
    "\ud800",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_texts_are_written_so_that_they_are_read_back(text: str) -> None:
    assert load_mapping(f"name: {as_scalar(text)}  # comment\n", origin="test") == {"name": text}
    assert load_mapping(as_yaml({"name": text, "list": [text]}), origin="test") == {
        "name": text,
        "list": [text],
    }


@pytest.mark.parametrize("name", ["cv/cnn", "cv/cnn:imagenet", "cnn", "my-plugin/a_b"])
def test_ids_are_written_without_quotes(name: str) -> None:
    assert as_scalar(name) == name


@pytest.mark.parametrize("space", [*HOSTILE[:8], "cv/cnn:imagenet"])
def test_a_configuration_to_start_from_keeps_the_name_it_is_given(space: str) -> None:
    document = load_mapping(TEMPLATE.format(space=as_scalar(space)), origin="test")
    assert document["space"] == {"name": space}
