"""Where the three rooms meet: planned, live, and as captures."""
