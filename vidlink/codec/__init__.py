"""Codec recipes, their shelf, and codecs of a user's own code."""
