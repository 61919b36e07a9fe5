"""Which channels of a network belong together, found by running it once, and networks with fewer of them."""
