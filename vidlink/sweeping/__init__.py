"""Sweeps: many runs, each done once, and the table they come down to."""
