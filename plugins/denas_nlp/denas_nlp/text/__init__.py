"""Text for networks: vocabularies, tokens and batches."""
