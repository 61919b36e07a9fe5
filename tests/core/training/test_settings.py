"""Settings, the course of the learning rate, and what decays."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from denas_core.errors import ConfigError, PluginError
from denas_core.registry.options import describe_options
from denas_core.training.optimizer import make_optimizer, split_by_decay
from denas_core.training.schedule import learning_rate_factor, warm_up_steps
from denas_core.training.settings import TrainingSettings, make_settings


def test_the_user_beats_the_recipe_and_the_recipe_the_defaults() -> None:
    settings = make_settings("points/side", {"lr": 0.5, "epochs": 7}, {"lr": 0.25})
    assert (settings.lr, settings.epochs, settings.batch_size) == (0.25, 7, 64)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"learning_rate": 1}, "'training' has no option 'learning_rate'"),
        ({"epoch": 1}, "did you mean 'epochs'"),
        ({"lr": 0.0}, "option 'lr' of 'training': should be greater than 0, got 0"),
        ({"optimizer": "lamb"}, "should be 'adamw' or 'sgd', got 'lamb'"),
        ({"workers": -1}, "workers must not be negative, got -1"),
        ({"epochs": True}, "option 'epochs' of 'training'"),
    ],
)
def test_a_wrong_setting_is_one_line(given: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError, match=r"^[^\n]*$") as caught:
        make_settings("points/side", {}, given)
    assert text in str(caught.value)


def test_a_wrong_recipe_is_the_fault_of_its_task() -> None:
    with pytest.raises(PluginError, match=r"the recipe of task 'points/side' is wrong: .*'rate'"):
        make_settings("points/side", {"rate": 1}, {})


def test_every_setting_is_documented() -> None:
    assert all(row["help"] for row in describe_options(TrainingSettings))


def factors(total: int = 100, **options: Any) -> list[float]:
    settings = TrainingSettings(**options)
    return [learning_rate_factor(settings, step, total=total, steps_per_epoch=10) for step in range(total)]


def test_the_warm_up_rises_to_one_with_its_last_step() -> None:
    assert factors(warmup=4, schedule="constant")[:6] == [0.25, 0.5, 0.75, 1, 1, 1]
    assert warm_up_steps(TrainingSettings(warmup=0.05), 100) == 5
    assert warm_up_steps(TrainingSettings(warmup=500), 100) == 100


def test_cosine_and_linear_end_where_they_should() -> None:
    cosine = factors(warmup=0, schedule="cosine", final_lr=0.1)
    assert cosine[0] == 1 and cosine[50] == pytest.approx(0.55)
    assert cosine[99] == pytest.approx(0.1 + 0.9 * (1 + math.cos(math.pi * 0.99)) / 2)
    linear = factors(warmup=0.2, schedule="linear")
    assert linear[20] == 1 and linear[60] == pytest.approx(0.5) and linear[99] == pytest.approx(1 / 80)


def test_steps_drop_after_their_epochs() -> None:
    found = factors(warmup=0, schedule="step", step_epochs=3, step_factor=0.5)
    assert found[29] == 1 and found[30] == 0.5 and found[60] == 0.25 and found[99] == 0.125


def test_noam_rises_in_line_and_falls_with_the_root_of_the_step() -> None:
    found = factors(warmup=4, schedule="noam")
    # sqrt(4) * min(n ** -0.5, n * 4 ** -1.5) for n = 1, 2, 4, 9, 16 and 100
    assert [found[n - 1] for n in (1, 2, 4, 9, 16, 100)] == pytest.approx([0.25, 0.5, 1, 2 / 3, 0.5, 0.2])
    assert max(found) == 1


def test_noam_without_a_warm_up_begins_to_fall_at_once() -> None:
    assert factors(warmup=0, schedule="noam")[:4] == pytest.approx([1, 2**-0.5, 3**-0.5, 0.5])


def test_biases_norms_and_vectors_do_not_decay() -> None:
    class Tokens(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cls = nn.Parameter(torch.zeros(4))
            self.positions = nn.Parameter(torch.zeros(1, 3, 4))
            self.wide = nn.LayerNorm((3, 4))
            self.linear = nn.Linear(4, 4)
            self.tied = self.linear
            self.frozen = nn.Linear(4, 4).requires_grad_(False)

    model = Tokens()
    decayed, plain = split_by_decay(model)
    assert [id(p) for p in decayed] == [id(model.positions), id(model.linear.weight)]
    assert {id(p) for p in plain} == {
        id(model.cls),
        id(model.wide.weight),
        id(model.wide.bias),
        id(model.linear.bias),
    }
    groups = make_optimizer(model, TrainingSettings(weight_decay=0.3)).param_groups
    assert [group["weight_decay"] for group in groups] == [0.3, 0.0]


def test_the_table_in_the_document_is_that_of_the_settings() -> None:
    text = (Path(__file__).parents[3] / "docs" / "training.md").read_text(encoding="utf-8")
    table = text.partition("<!-- settings -->\n")[2].partition("<!-- /settings -->")[0]
    rows = ["| setting | type | default | meaning |", "|---|---|---|---|"]
    for row in describe_options(TrainingSettings):
        kind = row["type"].replace(" | ", ", ")
        rows.append(f"| `{row['name']}` | {kind} | `{row['default']}` | {row['help']} |")
    expected = "\n".join(rows) + "\n"
    assert table == expected, f"put this between the marks in docs/training.md:\n{expected}"


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_setting_that_is_no_number_is_named(value: float) -> None:
    with pytest.raises(
        ConfigError, match=f"option 'lr' of 'training': should be a finite number, got {value}"
    ):
        make_settings("a/task", {}, {"lr": value})
