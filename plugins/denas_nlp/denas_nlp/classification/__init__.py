"""Classification of texts with the user's own labels, one or several for each text."""
