"""Where faces are: tracks, finding them, the region of interest."""
