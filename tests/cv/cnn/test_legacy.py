"""The original's CNN search configuration becomes one of ours."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from denas_core.legacy.translate import Imported, import_config
from denas_core.registry.registry import Registry
from denas_core.setup.config import make_config
from denas_core.setup.setup import Setup
from denas_core.system.guarded_yaml import load_mapping
from tests.core.toy_searches import denas_here

START = (
    "SuperConvK3BNRELU(3,8,1,1)SuperResK3K3(8,16,1,8,1)SuperResK3K3(16,32,2,16,1)SuperResK3K3(32,64,2,32,1)"
    "SuperResK3K3(64,64,2,32,1)SuperConvK1BNRELU(64,128,1,1)"
)

# Written for this test: every key that the original's CNN search reads, with its default values and its demo's bound.
OLD = f"""\
# CNN search
model_type: cnn
search_engine: EvolutionarySearchEngine
batch_size: 64
random_max_epochs: 10000
max_epochs: 1000
scale_factor: 10
select_num: 512
population_num: 0
mutation_num: 1
crossover_num: 0
plainnet_struct: {START}
no_reslink: False
no_BN: False
use_se: False
budget_num_layers: 18
budget_model_size: 1000000
budget_flops: 1e7
img_size: 32
num_classes: 100
expressivity_weight: 1
complexity_weight: 1
diversity_weight: 0
saliency_weight: 1
latency_weight: 0
seed: 0
"""


def translated(text: str) -> Imported:
    return import_config(load_mapping(text, origin="old.conf"), Registry.discover(), origin="old.conf")


def test_the_default_configuration_becomes_a_valid_one(tmp_path: Path) -> None:
    (tmp_path / "old.conf").write_text(OLD)
    done = denas_here("config", "import", str(tmp_path / "old.conf"), "--out", str(tmp_path / "new.yaml"))
    assert (done.returncode, done.stdout) == (0, "")
    text = (tmp_path / "new.yaml").read_text()
    assert load_mapping(text, origin="new.yaml") == {
        "space": {"name": "cv/cnn", "classes": 100},
        "constraints": ["params<=1000000", "flops<=20000000"],
        "budget": 1000,
    }
    assert "- params<=1000000  # budget_model_size: 1000000" in text
    checked = denas_here("config", "validate", str(tmp_path / "new.yaml"))
    assert checked.returncode == 0, checked.stderr
    for key in load_mapping(OLD, origin="old"):
        assert key in done.stderr, f"no account of {key}"
    again = denas_here("config", "import", str(tmp_path / "old.conf"), "--out", str(tmp_path / "new.yaml"))
    assert again.returncode == 2 and "exists" in again.stderr


def test_the_account_says_of_every_key_what_became_of_it(tmp_path: Path) -> None:
    (tmp_path / "old.conf").write_text(OLD + "max_param_limits: 100\nbudget_flop: 3\n")
    done = denas_here("config", "import", str(tmp_path / "old.conf"), "--json")
    document = json.loads(done.stdout)
    fate = {row["key"]: row["fate"] for row in document["keys"]}
    by_fate = {name: sorted(key for key in fate if fate[key] == name) for name in set(fate.values())}
    assert by_fate == {
        "translated": ["budget_flops", "budget_model_size", "max_epochs", "model_type", "num_classes"],
        "default": [
            *("batch_size", "complexity_weight", "expressivity_weight", "img_size", "saliency_weight"),
            *("search_engine", "seed"),
        ],
        "changed": ["crossover_num", "mutation_num", "plainnet_struct", "population_num", "select_num"],
        "dropped": [
            *("budget_num_layers", "diversity_weight", "latency_weight", "max_param_limits", "no_BN"),
            *("no_reslink", "random_max_epochs", "scale_factor", "use_se"),
        ],
        "unknown": ["budget_flop"],
    }
    notes = {row["key"]: row["note"] for row in document["keys"]}
    assert "CNN search mutated its start structure only" in notes["search_engine"]
    assert document["refusal"] is None
    assert make_config(document["config"], origin="test") == make_config(
        load_mapping(document["yaml"], origin="test"), origin="test"
    )


def test_the_new_configuration_searches_networks_within_the_old_bounds() -> None:
    setup = Setup.from_config(translated(OLD).config, Registry.discover())
    space = setup.space
    # 102,572 parameters as the original builds it, and 10.0 M multiply-adds at most.
    start = space.parse(START)
    assert space.cost(start)["params"] == 102_572
    assert not setup.problem.violations(start)
    assert [(c.metric, c.bound) for c in setup.problem.constraints] == [("params", 1e6), ("flops", 2e7)]
    assert setup.budget.candidates == 1000


def test_a_latency_a_image_is_bounded_on_the_batch_that_the_original_timed() -> None:
    imported = translated(
        "domain: cnn\nbatch_size: 32\nbudget_latency_max: 0.0005\nbudget_latency_min: 1e-4\n"
    )
    assert imported.document["constraints"] == ["latency_ms<=16", "latency_ms>=3.2"]
    assert imported.document["probe"] == {"name": "builtin/wall-clock", "batch_size": 32}
    assert imported.document["score"] == {"name": "scores/de-score", "batch_size": 32}
    Setup.from_config(imported.config, Registry.discover())


def test_large_images_take_the_skeleton_made_for_them() -> None:
    imported = translated("domain: cnn\nimg_size: 224\nnum_classes: 1000\n")
    assert imported.document == {
        "space": {"name": "cv/cnn", "image_size": 224, "skeleton": "imagenet", "classes": 1000}
    }


@pytest.mark.parametrize(("layers", "each"), [(14, None), (13, 2), (10, 2), (9, 1), (6, 1), (5, 1)])
def test_a_bound_on_all_layers_becomes_one_on_each_block(layers: int, each: int | None) -> None:
    imported = translated(f"domain: cnn\nbudget_num_layers: {layers}\n")
    assert imported.document["space"].get("max_layers") == each
    space = Setup.from_config(imported.config, Registry.discover()).space
    full = space.full()
    assert full is not None
    total = sum(block.layers for block in space.blocks(full))  # type: ignore[attr-defined]
    assert total <= max(layers, 6)


def test_a_start_structure_says_which_blocks_and_images_there_are() -> None:
    mobile = START.replace("SuperResK3K3(8,", "SuperResIDWE2K3(8,").replace("RELU(3,", "RELU(1,")
    imported = translated(f"domain: cnn\nplainnet_struct: {mobile}\n")
    assert imported.document["space"] == {"name": "cv/cnn", "channels": 1, "inverted": True}
    unread = translated("domain: cnn\nplainnet_struct: SuperConv(3\n").outcomes["plainnet_struct"]
    assert unread.fate == "changed" and "cannot be read" in unread.note


def test_a_search_that_would_be_refused_is_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "old.conf").write_text("domain: cnn\nbudget_model_size: 10\n")
    done = denas_here("config", "import", str(tmp_path / "old.conf"))
    assert done.returncode == 0
    assert "refuses this as it is: no architecture of 'cv/cnn' has params<=10" in done.stderr
    assert load_mapping(done.stdout, origin="stdout")["constraints"] == ["params<=10"]
