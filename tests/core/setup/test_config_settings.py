from __future__ import annotations

import json
from typing import Any

import pytest

from denas_core.errors import ConfigError
from denas_core.setup.config import apply_settings, differences


@pytest.mark.parametrize(
    ("document", "setting", "changed"),
    [
        ({}, "seed=3", {"seed": 3}),
        ({"seed": 1}, " seed =3", {"seed": 3}),
        ({}, "out=a=b", {"out": "a=b"}),
        ({}, "out=", {"out": None}),
        ({}, "constraints=[params<=1M, flops<=2M]", {"constraints": ["params<=1M", "flops<=2M"]}),
        ({"space": "cv/cnn"}, "space.classes=3", {"space": {"name": "cv/cnn", "classes": 3}}),
        ({"space": {"name": "a", "x": 1}}, "space.x=no", {"space": {"name": "a", "x": "no"}}),
        (
            {},
            "score.weights.latency=0.5",
            {"score": {"name": "scores/de-score", "weights": {"latency": 0.5}}},
        ),
        ({"strategy": None}, "strategy.select=9", {"strategy": {"name": "builtin/nsga2", "select": 9}}),
        ({}, "space.name=cv/cnn", {"space": {"name": "cv/cnn"}}),
    ],
)
def test_a_setting_replaces_what_its_path_names(
    document: dict[str, Any], setting: str, changed: dict[str, Any]
) -> None:
    before = json.dumps(document)
    assert apply_settings(document, [setting]) == changed
    assert json.dumps(document) == before


def test_later_settings_beat_earlier_ones() -> None:
    assert apply_settings({}, ["space=a", "space.x=1", "space.x=2"]) == {"space": {"name": "a", "x": 2}}


@pytest.mark.parametrize("setting", ["seed", "", "=3", "space..x=1", ".x=1", "space.=1"])
def test_a_setting_without_key_or_value_is_refused(setting: str) -> None:
    with pytest.raises(ConfigError) as caught:
        apply_settings({}, [setting])
    assert str(caught.value) == (f"--set {setting!r} is not of the form key=value, such as space.classes=100")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("seed.x=1", "--set 'seed.x=1': 'seed' holds no keys but 7"),
        ("space.x.y=1", "--set 'space.x.y=1': 'space.x' holds no keys but [1]"),
        ("spase.x=1", "the configuration has no key 'spase'; did you mean 'space'?"),
        ("seed=[", "--set seed=[ is not valid YAML: while parsing a flow node"),
        ("seed=!!int 3", "--set seed=!!int 3:1: tags such as 'tag:yaml.org,2002:int' are not allowed"),
    ],
)
def test_a_setting_that_cannot_be_applied_is_refused(setting: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        apply_settings({"seed": 7, "space": {"name": "a", "x": [1]}}, [setting])
    assert str(caught.value).startswith(message)


def test_differences_name_every_key_that_changed() -> None:
    before = {"seed": 1, "space": {"name": "a", "x": {"y": 1}}, "out": None, "same": [1]}
    after = {"seed": 2, "space": {"name": "a", "x": {"y": 2}, "z": 3}, "out": {"p": 1}, "same": [1]}
    assert differences(before, after) == [
        "out: None -> {'p': 1}",
        "seed: 1 -> 2",
        "space.x.y: 1 -> 2",
        "space.z: None -> 3",
    ]
    assert differences(before, before) == []
