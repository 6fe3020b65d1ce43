"""What can be trained and evaluated, one task a file."""
