"""What a search on a cluster of two nodes refuses, before it evaluates anything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from denas_core import Demand
from denas_core.errors import ConfigError
from denas_ray.executor import Ray
from tests.core.toy_searches import denas, toy_search

ray = pytest.importorskip("ray")

TOY_SEARCH = ("search", "toy/stairs", "--score", "toy/both", "--budget", "9", "--executor", "ray")


def test_a_resource_that_no_node_has_is_refused(joined: Any) -> None:
    executor = Ray(address=joined.address, latency_resource="fridge")
    with pytest.raises(ConfigError, match=r"no node .* has the resource 'fridge'.*: bench"):
        executor.open(Demand(measures_latency=True))


def test_a_bound_relative_to_a_latency_of_this_machine_is_refused_there(joined: Any, tmp_path: Path) -> None:
    chosen = {"name": "ray/ray", "address": joined.address, "latency_resource": "bench"}
    with pytest.raises(ConfigError, match=r"give an absolute bound"):
        toy_search(
            tmp_path / "r", executor=chosen, probe="toy/ruler", constraints=["latency<=0.9x"], budget=5
        )
    assert not (tmp_path / "r").exists()


def test_another_cluster_than_that_of_the_program_is_refused(joined: Any) -> None:
    with pytest.raises(ConfigError, match=r"is in the Ray cluster at .* and cannot join 10\.0\.0\.9:6379"):
        Ray(address="10.0.0.9:6379").open(Demand())


def test_a_cluster_with_another_version_is_refused(joined: Any, tmp_path: Path) -> None:
    from ray._common.usage.usage_constants import CLUSTER_METADATA_KEY

    client, where = (
        ray._private.worker.global_worker.gcs_client,
        ray._private.ray_constants.KV_NAMESPACE_CLUSTER,
    )
    facts = client.internal_kv_get(CLUSTER_METADATA_KEY, where)
    older = json.dumps({**json.loads(facts), "ray_version": "2.41.0"}).encode()
    client.internal_kv_put(CLUSTER_METADATA_KEY, older, True, where)
    try:
        done = denas(*TOY_SEARCH, "--set", f"executor.address={joined.address}", cwd=tmp_path)
    finally:
        client.internal_kv_put(CLUSTER_METADATA_KEY, facts, True, where)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: cannot join the Ray cluster at {joined.address}: its versions differ: ")
    assert "2.41.0" in line
    assert not list(tmp_path.iterdir())


def test_a_worker_that_is_too_large_for_each_node_is_refused(joined: Any) -> None:
    with pytest.raises(ConfigError, match=r"no node .* has room for a worker, which takes 64 CPUs"):
        Ray(address=joined.address).open(Demand(threads=64))
