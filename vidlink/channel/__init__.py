"""The channel: a bottleneck with a queue, delay, jitter and loss."""

from vidlink.channel.channel import Channel
from vidlink.channel.profile import ChannelProfile

__all__ = ["Channel", "ChannelProfile"]
