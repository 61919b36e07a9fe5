"""Texts that are written from other texts: translations, summaries and the like."""
