"""ONNX for DE-NAS."""

from __future__ import annotations

OPSET = 18
"""The opset that torch's own translations are written for; others are converted from it."""
