"""The networks, one architecture a file."""
