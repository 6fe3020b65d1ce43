"""The words for affect: the emotions that people voted for, and the two dimensions."""

from __future__ import annotations

EMOTIONS = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")
"""The emotions whose votes FER+ counts, in the order of its columns."""

AFFECT = ("valence", "arousal")
"""The two dimensions of affect, each within [-1, 1]."""
