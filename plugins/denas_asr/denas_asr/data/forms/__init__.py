"""Readers of the forms in which speech data come; all of them yield the same kind of utterance."""
