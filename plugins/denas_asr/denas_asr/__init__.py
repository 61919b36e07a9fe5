"""Speech recognition for DE-NAS: search spaces, training and decoding."""
