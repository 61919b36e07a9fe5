"""Search spaces that are made from what a user has: a function that builds networks, or a network."""
