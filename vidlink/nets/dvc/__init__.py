"""A learned codec of video in the manner of DVC: motion, prediction, residual, and models of their probabilities."""
