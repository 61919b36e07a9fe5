"""Language models: texts as they are, and the probability of each next token."""
