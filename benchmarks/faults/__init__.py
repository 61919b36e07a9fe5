"""Experiments that break what a search stands on: each returns counts, and what went wrong in words."""
