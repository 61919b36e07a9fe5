"""OpenVINO for DE-NAS."""

from __future__ import annotations

# This comes before openvino, whose telemetry it switches off.
import denas_core  # noqa: F401
