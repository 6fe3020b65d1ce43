"""What came of a run, one measure a file."""
