"""Optuna for DE-NAS."""
