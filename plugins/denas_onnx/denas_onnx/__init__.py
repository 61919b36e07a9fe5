"""ONNX for DE-NAS."""

from __future__ import annotations

# This comes before onnxruntime, whose telemetry it switches off.
import denas_core  # noqa: F401

OPSET = 18
"""The opset of torch's own translations; programs for other opsets are converted from it."""

LIBRARIES = ("onnx", "onnxscript", "onnxruntime")
"""What must be installed before anything of this package is imported."""
