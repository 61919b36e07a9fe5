"""Numbers for texts, such as the similarity of two sentences or a price."""
