"""Anything FFmpeg reads comes in, received.mp4 goes out."""
