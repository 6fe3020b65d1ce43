"""Send video over thin, lossy links so that a machine at the far end still recognizes what is in it."""

__version__ = "0.1.0"
