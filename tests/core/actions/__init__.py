"""What commands do, called from Python."""
