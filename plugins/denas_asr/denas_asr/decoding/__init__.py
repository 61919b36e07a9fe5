"""From what a network says of each frame to the symbols that were spoken."""
