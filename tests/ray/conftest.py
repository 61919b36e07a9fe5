"""A cluster of two nodes on this machine, which the tests of a file share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ray = pytest.importorskip("ray")

TOY = Path(__file__).parents[1] / "toy"

NODE: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 80 * 2**20, "include_dashboard": False}
"""One worker a node."""


def node_environment(*first: Path) -> dict[str, str]:
    """Return the environment of a node that finds modules in these folders, and then the toy plugin."""
    return {
        "PYTHONPATH": os.pathsep.join(map(str, [*first, TOY, TOY.parents[1]])),
        "RAY_USAGE_STATS_ENABLED": "0",
    }


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A cluster whose second node has the resource ``bench``."""
    from ray.cluster_utils import Cluster

    made = Cluster()
    made.add_node(**NODE, env_vars=node_environment())
    made.add_node(**NODE, env_vars=node_environment(), resources={"bench": 1})
    yield made
    ray.shutdown()
    made.shutdown()


@pytest.fixture(scope="module")
def joined(cluster: Any) -> Any:
    """The cluster, which this process has joined, as a notebook does that calls ``ray.init``."""
    if not ray.is_initialized():
        ray.init(cluster.address, logging_level="CRITICAL", log_to_driver=False)
    return cluster
