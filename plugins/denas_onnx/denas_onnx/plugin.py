"""What denas-onnx adds to DE-NAS."""

from __future__ import annotations

from denas_core import Components, hookimpl


@hookimpl
def denas_exporters() -> Components:
    """Offer the form ``onnx``."""
    return {"onnx": "denas_onnx.exporter:ONNX"}


@hookimpl
def denas_probes() -> Components:
    """Offer latency in ONNX Runtime."""
    return {"runtime": "denas_onnx.runtime:Runtime"}
