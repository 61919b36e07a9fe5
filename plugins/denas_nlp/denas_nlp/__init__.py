"""Text for DE-NAS: the BERT search space, question answering and text classification."""
