"""Tests of texts that are written from others."""
