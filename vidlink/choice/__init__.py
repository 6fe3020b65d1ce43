"""Which setting to use: what is worth trying, tried on clips by successive halving, compared clip by clip."""
