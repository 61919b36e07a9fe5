"""Tables of trained accuracies: reading files, and finding the architectures in them."""
