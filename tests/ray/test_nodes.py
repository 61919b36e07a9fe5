"""Nodes: their room for workers, and which of them compute what this machine computes."""

from __future__ import annotations

import pytest

from denas_ray.nodes import Need, difference, other_processor

HERE = (
    {"denas-core": "0.1.0", "denas-cv": "0.1.0"},
    {"python": "3.11.7", "torch": "2.13.0", "numpy": "2.4.6", "machine": "x86_64", "processor": "one"},
)


def there(versions: dict[str, str], **facts: str) -> tuple[dict[str, str], dict[str, str]]:
    return {**HERE[0], **versions}, {**HERE[1], **facts}


def test_a_node_like_this_machine_can_evaluate() -> None:
    assert difference(HERE, there({})) == ""


@pytest.mark.parametrize(
    ("node", "reason"),
    [
        (there({"denas-cv": "not installed"}), "denas-cv not installed instead of 0.1.0"),
        (there({"denas-cv": "0.2.0"}), "denas-cv 0.2.0 instead of 0.1.0"),
        (
            there({"denas-cv": "not installed"}, torch="2.6.0", python="3.12.1"),
            "denas-cv not installed instead of 0.1.0, python 3.12.1 instead of 3.11.7, "
            "torch 2.6.0 instead of 2.13.0",
        ),
    ],
)
def test_a_node_with_other_software_cannot(node: tuple[dict[str, str], dict[str, str]], reason: str) -> None:
    assert difference(HERE, node) == reason


def test_another_processor_is_named_and_does_no_harm() -> None:
    node = there({}, processor="two")
    assert difference(HERE, node) == ""
    assert other_processor(HERE[1], node[1]) == "two, x86_64"
    assert other_processor(HERE[1], HERE[1]) == ""


@pytest.mark.parametrize(
    ("need", "room"),
    [
        (Need(), 8),
        (Need(threads=3), 2),
        (Need(memory=3_000), 3),
        (Need(gpus=1), 2),
        (Need(threads=16), 0),
    ],
)
def test_room_is_what_the_scarcest_resource_allows(need: Need, room: int) -> None:
    assert need.room({"CPU": 8.0, "GPU": 2.0, "memory": 10_000.0}) == room
    assert need.room({"node:10.0.0.1": 1.0}) == 0
