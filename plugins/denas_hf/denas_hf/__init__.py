"""Use a Hugging Face model as a search space, with the weights of its checkpoint."""
