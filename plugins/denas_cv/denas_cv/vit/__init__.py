"""The vision transformer space ``cv/vit``."""
