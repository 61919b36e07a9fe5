"""What the networks of all speech spaces have in common: front-end, decoder, heads, batches and costs."""
