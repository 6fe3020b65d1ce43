"""Trained weights, as safetensors, each with the card (JSON) that says how it came about."""
