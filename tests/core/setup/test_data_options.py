"""A search whose data are known has a space that fits them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from denas_core.registry.registry import Registry
from denas_core.setup.data_options import fill_options
from denas_core.values.description import DataDescription
from tests.core.building.conftest import without_texts as without_texts
from tests.core.toy_searches import denas_here
from tests.core.training.conftest import installed as installed

QUICK = ("--score", "points/size", "--objective", "score", "--budget", "2", "--device", "cpu")


@pytest.fixture
def three(tmp_path: Path) -> Path:
    """Points of three sides."""
    path = tmp_path / "three.txt"
    path.write_text("\n".join(f"{n}.5 {n % 7}.0 {n % 3}" for n in range(60)) + "\n")
    return path


def test_the_space_gets_what_the_data_determine_and_the_run_keeps_it(tmp_path: Path, three: Path) -> None:
    run = tmp_path / "run"
    done = denas_here("search", "points/mlp", *QUICK, "--data", str(three), "--out", str(run))
    assert done.returncode == 0, done.stderr
    assert "note: classes=3 from the data\n" in done.stderr
    # The space refuses this value, and has no option 'image_size'.
    assert "note: dropout=2.0 of the data is not used: " in done.stderr
    config = yaml.safe_load((run / "config.yaml").read_text())
    assert config["space"]["classes"] == 3 and config["space"]["dropout"] == 0.0
    assert config["data"]["task"]["name"] == "points/side"
    again = denas_here("search", "--resume", str(run), "--budget", "3")
    assert again.returncode == 0, again.stderr
    assert yaml.safe_load((run / "config.yaml").read_text())["space"]["classes"] == 3
    trained = denas_here(
        *("train", str(run), "--data", str(three), "--epochs", "1", "--device", "cpu", "-q"),
    )
    assert trained.returncode == 0, trained.stderr


def test_what_the_user_sets_is_kept(tmp_path: Path, three: Path) -> None:
    run = tmp_path / "run"
    done = denas_here(
        *("search", "points/mlp", *QUICK, "--data", str(three), "--set", "space.classes=5"),
        *("--out", str(run)),
    )
    assert done.returncode == 0, done.stderr
    assert "from the data" not in done.stderr
    assert yaml.safe_load((run / "config.yaml").read_text())["space"]["classes"] == 5


def test_data_beat_a_preset_and_options_that_the_space_lacks_are_ignored() -> None:
    pytest.importorskip("denas_cv")
    described = DataDescription(
        format="images", samples={}, space_options={"classes": 2, "image_size": 64, "vocabulary": 9}
    )
    filled = fill_options(Registry.discover(), "cv/cnn:micro", {"image_size": 48}, described)
    assert dict(filled.options) == {"image_size": 48, "classes": 2}
    assert filled.text() == "classes=2"
