"""The residual CNN space ``cv/cnn``."""
