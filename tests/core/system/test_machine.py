from __future__ import annotations

from denas_core.system.machine import latency_fingerprint


def test_a_latency_fingerprint_changes_with_threads_and_with_any_fact() -> None:
    found = [
        latency_fingerprint(threads=1, probe="builtin/wall-clock"),
        latency_fingerprint(threads=2, probe="builtin/wall-clock"),
        latency_fingerprint(threads=1, probe="onnx/runtime"),
        latency_fingerprint(threads=1, probe="builtin/wall-clock", batch=2),
    ]
    assert len(set(found)) == len(found)
    assert found[0] == latency_fingerprint(threads=1, probe="builtin/wall-clock")
