"""Use adapters over a frozen Hugging Face checkpoint as a search space."""
