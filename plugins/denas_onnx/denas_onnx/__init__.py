"""ONNX for DE-NAS."""

from __future__ import annotations

OPSET = 18
"""The opset of torch's own translations; programs for other opsets are converted from it."""
