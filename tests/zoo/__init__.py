"""Hostile plugins as real distributions: made from a table of sources, installed, tried."""
