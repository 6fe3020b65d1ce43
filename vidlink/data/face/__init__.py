"""A drawn face whose expression follows valence and arousal."""

from vidlink.data.face.draw import draw_face
from vidlink.data.face.identity import Identity, Pose, random_identity

__all__ = ["Identity", "Pose", "draw_face", "random_identity"]
