"""The benchmark runs and reports what it promises; its timings are not judged here."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from denas_scores.de_score import OF_ATTENTION, OF_CONVOLUTIONS
from tests import warm

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "throughput.py"
OF_BOTH = ("naswot", "entropy", "params", "flops", "jacob-cov", "saliency")


@pytest.mark.parametrize(
    ("space", "more", "components"),
    [
        ("cv/cnn", ["--batch-size", "4"], {"shared", "expressivity", "complexity", "saliency"}),
        ("cv/vit:tiny", [], {"shared", "diversity", "saliency"}),
        (
            "nlp/bert:denas",
            ["--samples", "2", "--tokens", "5", "--set", "vocab_size=99", "--set", "layers=[1, 2]"],
            {"shared", "diversity", "saliency"},
        ),
        (
            "asr/transformer",
            ["--samples", "2", "--frames", "8", "--set", "vocabulary=9", "--set", "embed_dims=[24]"],
            {"shared", "diversity", "saliency"},
        ),
        (
            "cv/cnn",
            ["--combination", "ensemble", "--batch-size", "4"],
            {"shared", *OF_BOTH, *OF_CONVOLUTIONS},
        ),
        (
            "nlp/bert:denas",
            ["--combination", "ensemble", "--set", "vocab_size=99", "--set", "layers=[1, 2]"],
            {"shared", *OF_BOTH, *OF_ATTENTION},
        ),
    ],
    ids=["images", "patches", "tokens", "frames", "default-images", "default-tokens"],
)
def test_the_throughput_benchmark_prints_its_numbers_as_json(
    space: str, more: list[str], components: set[str]
) -> None:
    pytest.importorskip(f"denas_{space.partition('/')[0]}")
    options = ["--space", space, "--json", "--architectures", "1", "--rounds", "1", *more]
    run = f"import runpy; runpy.run_path({str(BENCHMARK)!r}, run_name='__main__')"
    path = os.pathsep.join([str(BENCHMARK.parent), os.environ.get("PYTHONPATH", "")])
    done = warm.run([sys.executable, "-c", run, *options], env={**os.environ, "PYTHONPATH": path})
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert set(result) == {
        *("space", "cpu_seconds", "cpu_seconds_range", "floor_cpu_seconds", "ratio", "components")
    }
    assert set(result["components"]) == components
    assert result["ratio"] > 0
