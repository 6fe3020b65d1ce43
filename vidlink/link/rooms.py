"""The three rooms of a run as its settings have them: sender, link, receiver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from vidlink.channel.channel import Channel
from vidlink.link.live import LiveLink
from vidlink.link.planned import Link
from vidlink.receiver.receive import Receiver
from vidlink.sender.adapt import RateControl
from vidlink.sender.estimator import load_estimator
from vidlink.sender.live_sender import LiveSender
from vidlink.sender.sender import Sender

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from vidlink.channel.profile import ChannelProfile
    from vidlink.codec.recipe import Codec
    from vidlink.sender.memory import Memory
    from vidlink.settings import Settings
    from vidlink.types import Clip


class Rooms(NamedTuple):
    """What a run's bits pass through, in that order."""

    sender: Sender
    """A :class:`~vidlink.sender.live_sender.LiveSender` where the link is live."""
    link: Link | LiveLink
    """Over it packets are sent, and lost."""
    receiver: Receiver
    """It knows of the sender what is signalled: recipe and delay."""


def make_rooms(
    settings: Settings,
    clip: Clip,
    codec: Codec,
    profile: ChannelProfile,
    wants_faces: bool,
    boxes: pd.DataFrame | None,
    *,
    memory: Memory | None,
    rng: np.random.Generator,
) -> Rooms:
    """Make sender, link and receiver.

    Parameters
    ----------
    settings
        Of the run.
    clip
        What is sent.
    codec, profile
        Recipe and channel.
    wants_faces
        Whether the sender finds faces and sends along where they are.
    boxes
        Labels that may say where the faces are.
    memory
        What runs share.
    rng
        Source of the channel's randomness.

    Raises
    ------
    UserError
        The estimator cannot be had, the channel is wrong, or the settings do not go with this clip.
    """
    link = connect(settings, profile, rng=rng)
    parts: dict[str, Any] = {
        "clip": clip,
        "codec": codec,
        "faces": wants_faces,
        "expected_loss": profile.loss.expected(),
        "header_bytes": profile.header_bytes,
        "memory": memory,
        "labels": boxes,
    }
    sender = LiveSender(settings, wire=link, **parts) if isinstance(link, LiveLink) else Sender(settings, **parts)
    receiver = Receiver(codec, latency_s=sender.latency_s, deadline_s=settings.deadline_s, waits=not settings.live)
    return Rooms(sender, link, receiver)


def connect(settings: Settings, profile: ChannelProfile, *, rng: np.random.Generator) -> Link | LiveLink:
    """A link as the settings of a run have it. Raises as :func:`make_rooms`."""
    if not settings.live:
        return Link(profile, rate_bps=settings.bitrate_bps, deadline_s=settings.deadline_s, nack=settings.nack, rng=rng)
    channel = Channel(profile, rng=rng)
    start_bps, feedback_s = settings.start_bps, settings.feedback_s
    estimator = load_estimator(
        settings.estimator, start_bps=start_bps, feedback_s=feedback_s, capacity_bps=channel.capacity_bps
    )
    control = RateControl(estimator, name=settings.estimator, start_bps=start_bps, feedback_s=feedback_s)
    playout_s = settings.latency_s + settings.deadline_s
    return LiveLink(channel, control, feedback_s=feedback_s, playout_s=playout_s, nack=settings.nack)
