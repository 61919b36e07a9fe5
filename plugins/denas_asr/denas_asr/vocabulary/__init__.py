"""Symbols for what is said: characters, or pieces of words."""
