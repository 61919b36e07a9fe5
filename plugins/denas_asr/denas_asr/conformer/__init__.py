"""The search space ``asr/conformer``."""
