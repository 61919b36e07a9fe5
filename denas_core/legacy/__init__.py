"""Reading configurations of the original DE-NAS: tables say what becomes of each key."""
