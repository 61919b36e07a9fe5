"""Tagging of the tokens of sentences, such as names of people and places."""
