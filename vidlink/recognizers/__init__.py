"""What a recognizer is, how one is found, and those that ship."""
