"""Keyword spotting: which of a few words a short recording contains."""
