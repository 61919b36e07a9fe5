"""The search space ``asr/transformer``."""
