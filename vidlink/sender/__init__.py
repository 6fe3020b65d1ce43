"""The sender: choose a rung for every segment, code it, and put it into packets."""
