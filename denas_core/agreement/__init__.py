"""Measure how well scores agree with the results of training."""
