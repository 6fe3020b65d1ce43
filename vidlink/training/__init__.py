"""Training: degradations, regimes and the loop."""
