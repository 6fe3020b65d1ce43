"""The settings of a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from fractions import Fraction

DEFAULT_SCALES = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
"""Scale factors of the default ladder."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Everything that a run depends on. The same settings on the same input give the same tables."""

    input: str | None = None
    """Video file, image sequence or raw 4:2:0; None for the built-in clip."""
    video_size: tuple[int, int] | None = None
    """Width and height in pixels of raw video."""
    framerate: Fraction | None = None
    """Frames a second of raw video or an image sequence."""
    bitrate_bps: float | None = None
    """Budget on wire bits per second; None only with a fixed rung or live."""
    live: bool = False
    """``--bitrate auto``: the rate follows the link, by what feedback tells."""
    estimator: str = "gcc"
    """Who estimates the link's rate: name, or ``package.module:Class``."""
    start_bps: float = 64_000.0
    """Rate before any feedback; that of the estimator ``fixed`` throughout."""
    feedback_s: float = 0.1
    """Seconds between receiver reports."""
    shortest_segment_s: float = 0.25
    """Segments shrink to this where the channel varies fast."""
    buffer_s: float = 1.0
    """Depth of the leaky bucket in seconds: how long bits may wait at the sender. Where it is deeper than a segment,
    segments borrow from those after them."""
    codec: str = "x264"
    """Name on the shelf, or a TOML file."""
    channel: str = "perfect"
    """Name on the shelf, or a TOML file."""
    recognizer: str = "affect"
    """Name, ``package.module:Class``, or ``none``."""
    weights: Path | None = None
    """Other weights for the recognizer."""
    recognizer_args: tuple[str, ...] = ()
    """``key=value`` for the recognizer's constructor."""
    objective: Literal["psnr", "ssim", "task"] = "psnr"
    """What the plan maximizes."""
    scales: tuple[float, ...] = DEFAULT_SCALES
    """The ladder."""
    divisors: tuple[int, ...] = (1, 2, 3, 4)
    """Frame divisors: every n-th frame may be coded alone."""
    search: Literal["guided", "exhaustive", "best-fixed", "ladder"] = "guided"
    """How rungs are chosen under a budget; see :mod:`vidlink.sender.strategies`."""
    scale: float | None = None
    """A fixed scale factor instead of the ladder."""
    quality: float | None = None
    """A fixed value of the codec's quality knob instead of its grid."""
    segment_s: float = 1.0
    """Length of a segment in seconds."""
    max_size: tuple[int, int] | None = None
    """Largest width and height in pixels that may be sent."""
    mtu: int = 1500
    """Largest IPv4 datagram in bytes."""
    aggregate_s: float | None = None
    """How long a picture may wait for others to share its packet; None decides by the budget."""
    fec: str = "none"
    """Forward error correction, as :func:`~vidlink.sender.fec.parse_fec` reads it."""
    nack: bool = False
    """Whether the receiver asks for missing packets, and gets them again within the deadline."""
    deadline_s: float = 0.4
    """Seconds that the playout waits for a picture beyond the sender's own delay."""
    labels: Path | None = None
    """Table of labels."""
    label: str | None = None
    """What is being done in the whole clip, for recognizers of classes."""
    roi: str = "none"
    """What is coded, and where the face is: see :func:`~vidlink.faces.roi.parse_roi`."""
    vmaf: bool = False
    """Add VMAF, by the machine's own ffmpeg."""
    seed: int = 0
    """Seed of every random choice."""
    pcap: Path | None = None
    """Where to write the packets as sent."""
    pcap_received: Path | None = None
    """Where to write the packets as delivered."""
    device: str = "auto"
    """Where the recognizer computes."""
    workers: int | None = None
    """Threads that code and decode; None for one a core."""
    score_pictures: bool = True
    """Measure PSNR and SSIM."""
    save_video: bool = True
    """Write ``received.mp4``."""
    save_plot: bool = True
    """Draw ``plot.png``."""
    recognize_every: int = 1
    """The recognizer looks at every n-th frame."""

    @property
    def latency_s(self) -> float:
        """Seconds that the sender takes by design: a segment is captured whole, then paced out through the bucket."""
        return self.segment_s + max(self.buffer_s, self.segment_s)


def as_json(settings: Settings) -> dict[str, Any]:
    """The settings as plain values, in the order of the class."""
    from dataclasses import asdict

    return {name: _plain(value) for name, value in asdict(settings).items()}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return str(value)
