"""The search space of BERT."""
