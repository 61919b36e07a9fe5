"""Search on the machines of a Ray cluster with DE-NAS."""
