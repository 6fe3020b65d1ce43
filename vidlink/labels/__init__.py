"""What was in the clip at which time."""
