"""ExecuTorch for DE-NAS."""
