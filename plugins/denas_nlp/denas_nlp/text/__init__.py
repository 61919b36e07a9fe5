"""Text for networks: vocabularies, tokens, and the batches that are made of them."""
