"""The benchmark runs and reports what it promises; its timings are not judged here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "throughput.py"


def test_the_throughput_benchmark_prints_its_numbers_as_json() -> None:
    pytest.importorskip("denas_cv")
    options = ["--json", "--architectures", "1", "--batch-size", "4"]
    done = subprocess.run(
        [sys.executable, str(BENCHMARK), *options], capture_output=True, text=True, timeout=120, check=True
    )
    result = json.loads(done.stdout)
    assert set(result) == {"space", "cpu_seconds", "floor_cpu_seconds", "ratio", "components"}
    assert set(result["components"]) == {"shared", "expressivity", "complexity", "saliency"}
    assert result["ratio"] > 0
