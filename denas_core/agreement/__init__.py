"""How well scores agree with what training has measured."""
