"""The core as its own plugin: strategies, executor and latency probe that need nothing else."""
