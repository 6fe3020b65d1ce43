"""Restorers: what brings received pictures to full size."""
