"""The command line of ``python -m vidlink.simulate``, and the settings that it gives."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlink.command import Parser
from vidlink.errors import UserError
from vidlink.settings import DEFAULT_SCALES, Settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction


def simulate_parser() -> argparse.ArgumentParser:
    """The command line of ``python -m vidlink.simulate``."""
    parser = Parser(
        prog="python -m vidlink.simulate",
        description="Send a video over a thin, lossy link and measure what a machine at the far end still recognizes.",
        epilog="Without INPUT a built-in, labelled clip is sent. The run folder holds summary.json, the tables "
        "segments.csv, frames.csv, packets.csv and predictions.csv, received.mp4 and plot.png.",
    )
    add = parser.add_argument_group("video").add_argument
    add("input", nargs="?", metavar="INPUT", help="anything FFmpeg reads; image sequence as img%%03d.png; raw *.yuv")
    add("--video-size", metavar="WxH", help="size of raw video")
    add("--framerate", metavar="N", help="frames a second of raw video and image sequences")
    add = parser.add_argument_group("budget and coding").add_argument
    add(
        "--bitrate",
        metavar="RATE",
        help="budget on wire bits per second: 64k, 1.5M; auto: live, as much as the link is estimated to carry",
    )
    add(
        "--buffer",
        type=float,
        default=1.0,
        metavar="S",
        help="how long bits may wait at the sender; longer than a segment lets segments borrow bits (default: 1.0 s)",
    )
    add("--codec", default="x264", metavar="NAME", help="codec recipe, or a TOML file (default: x264)")
    add("--objective", default="psnr", choices=["psnr", "ssim", "task"], help="what the plan maximizes (default: psnr)")
    add(
        "--search",
        choices=["guided", "exhaustive", "best-fixed", "ladder"],
        help="how rungs are chosen: few trials, all of them, one scale for the clip, by thresholds (default: guided; "
        "exhaustive where --quality is given)",
    )
    add("--scales", metavar="1,2,4", help="scale factors of the ladder (default: 1,1.5,2,3,4,6,8)")
    add("--divisors", default=None, metavar="1,2", help="frame divisors of the ladder (default: 1,2,3,4)")
    add("--scale", type=float, metavar="S", help="fix the scale factor")
    add("--quality", type=float, metavar="Q", help="fix the codec's quality (CRF)")
    add("--segment", type=float, default=1.0, metavar="S", help="length of a segment in seconds (default: 1.0)")
    add("--max-size", metavar="WxH", help="never send a picture larger than this")
    add = parser.add_argument_group("link").add_argument
    add("--channel", default="perfect", metavar="NAME", help="channel, or a TOML file (default: perfect)")
    add("--fec", default="none", metavar="CODE", help="xor:k=5, rs:k=10,n=12, auto:0.01, ... (default: none)")
    add("--nack", action="store_true", help="ask for missing packets again, within the deadline")
    add(
        "--deadline",
        type=float,
        default=0.4,
        metavar="S",
        help="playout deadline beyond the sender's delay (default: 0.4)",
    )
    add("--mtu", type=int, default=1500, metavar="BYTES", help="largest IPv4 datagram (default: 1500)")
    add(
        "--aggregate",
        type=float,
        metavar="S",
        help="longest wait of a picture for company in its packet (default: by the budget)",
    )
    add("--pcap", type=Path, metavar="FILE", help="write the packets as sent (pcap)")
    add("--pcap-received", type=Path, metavar="FILE", help="write the packets as delivered (pcap)")
    add = parser.add_argument_group("live mode (--bitrate auto)").add_argument
    add(
        "--estimator",
        metavar="NAME",
        help="who estimates the link's rate: gcc, throughput, fixed, clairvoyant, or package.module:Class "
        "(default: gcc)",
    )
    add("--start-bitrate", metavar="RATE", help="rate before any feedback (default: 64k)")
    add("--feedback", type=float, metavar="S", help="seconds between receiver reports (default: 0.1)")
    add(
        "--shortest-segment",
        type=float,
        metavar="S",
        help="segments shrink to this where the channel varies fast (default: 0.25)",
    )
    add = parser.add_argument_group("recognizer").add_argument
    add("--recognizer", default="affect", metavar="NAME", help="name, package.module:Class, or none (default: affect)")
    add("--weights", type=Path, metavar="FILE", help="other weights for the recognizer (safetensors)")
    add(
        "--recognizer-arg",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="setting of the recognizer; may be given several times",
    )
    add("--label", metavar="CLASS", help="what is done in the clip, like Walk (default: its folder, if named so)")
    add("--labels", type=Path, metavar="CSV", help="labels: time_s, [face,] valence, arousal, ...")
    add(
        "--roi",
        default="none",
        metavar="ROI",
        help="none: whole frames, faces are where the labels' boxes are, or else found; x,y,w,h: the same, the face is "
        "there; face: only a window about the largest face; face:x,y,w,h: only a window about that box",
    )
    add(
        "--recognize-every",
        type=int,
        default=1,
        metavar="N",
        help="let the recognizer look at every N-th frame only (default: 1)",
    )
    add("--device", default="auto", help="auto, cpu, cuda, ... (default: auto)")
    add = parser.add_argument_group("run").add_argument
    add("--out", type=Path, metavar="FOLDER", help="run folder (default: a new one in runs/)")
    add("--overwrite", action="store_true", help="replace an existing run folder")
    add("--seed", type=int, default=0, help="seed of every random choice (default: 0)")
    add("--workers", type=int, metavar="N", help="threads that code and decode (default: one a core)")
    add("--no-scores", action="store_true", help="do not measure PSNR and SSIM")
    add("--no-video", action="store_true", help="do not write received.mp4")
    add("--vmaf", action="store_true", help="add VMAF (needs an ffmpeg with libvmaf on this machine)")
    add("--list", choices=["codecs", "channels", "estimators", "recognizers"], help="print what there is, and end")
    return parser


def settings_from(arguments: argparse.Namespace) -> Settings:
    """Check what the command line says.

    Raises
    ------
    UserError
        A value that cannot be; the message names the option, what was found and what is right.
    """
    from vidlink.faces.roi import parse_roi
    from vidlink.sender.fec import parse_fec
    from vidlink.sender.ladder import parse_scales

    bitrate, live = None, arguments.bitrate == "auto"
    if arguments.bitrate is not None and not live:
        bitrate = _rate("--bitrate", arguments.bitrate)
    elif not live and (arguments.scale is None or arguments.quality is None):
        raise UserError("give a budget as --bitrate 64k, or fix the coding with --scale and --quality")
    if arguments.scale is not None and arguments.scales is not None:
        raise UserError("--scale fixes one factor and --scales gives a ladder: give one of them")
    scales: tuple[float, ...] = DEFAULT_SCALES
    if arguments.scale is not None:
        scales = parse_scales(f"{arguments.scale}", option="--scale")
    elif arguments.scales is not None:
        scales = parse_scales(arguments.scales)
    divisors: tuple[int, ...] = (1,) if arguments.scale is not None and arguments.quality is not None else (1, 2, 3, 4)
    if arguments.divisors is not None:
        divisors = _divisors(arguments.divisors)
    for name, lowest in (("segment", 0.1), ("buffer", 0.0), ("deadline", 0.0), ("aggregate", 0.0)):
        value = getattr(arguments, name)
        if value is not None and not (math.isfinite(value) and value >= lowest):
            raise UserError(f"--{name} {value:g}: must be a number of seconds, at least {lowest:g}")
    if arguments.workers is not None and arguments.workers < 1:
        raise UserError(f"--workers {arguments.workers}: at least 1")
    if arguments.recognize_every < 1:
        raise UserError(f"--recognize-every {arguments.recognize_every}: at least 1")
    if arguments.label is not None and arguments.labels is not None:
        raise UserError("--label names one class and --labels a table of labels: give one of them")
    parse_fec(arguments.fec)
    parse_roi(arguments.roi)
    if arguments.seed < 0:
        raise UserError(f"--seed {arguments.seed}: at least 0")
    return Settings(
        **_live(arguments, live=live),
        input=arguments.input,
        video_size=parse_size("--video-size", arguments.video_size),
        framerate=_frame_rate(arguments.framerate),
        bitrate_bps=bitrate,
        buffer_s=arguments.buffer,
        codec=arguments.codec,
        channel=arguments.channel,
        recognizer=arguments.recognizer,
        weights=arguments.weights,
        objective=arguments.objective,
        scales=scales,
        divisors=divisors,
        search=_search(arguments),
        scale=arguments.scale,
        quality=arguments.quality,
        segment_s=arguments.segment,
        max_size=parse_size("--max-size", arguments.max_size),
        mtu=arguments.mtu,
        aggregate_s=arguments.aggregate,
        fec=arguments.fec,
        nack=arguments.nack,
        deadline_s=arguments.deadline,
        recognizer_args=tuple(arguments.recognizer_arg),
        labels=arguments.labels,
        label=arguments.label,
        roi=arguments.roi,
        vmaf=arguments.vmaf,
        seed=arguments.seed,
        pcap=arguments.pcap,
        pcap_received=arguments.pcap_received,
        device=arguments.device,
        workers=arguments.workers,
        score_pictures=not arguments.no_scores,
        save_video=not arguments.no_video,
        recognize_every=arguments.recognize_every,
    )


def _search(arguments: argparse.Namespace) -> Any:
    """How rungs are chosen: at one quality alone there is nothing to predict, so every rung is tried."""
    if arguments.quality is None or arguments.scale is not None:
        return arguments.search or "guided"
    if arguments.search not in (None, "exhaustive"):
        raise UserError(f"--search {arguments.search}: with --quality every rung of that quality is tried (exhaustive)")
    return "exhaustive"


def _live(arguments: argparse.Namespace, *, live: bool) -> dict[str, Any]:
    """Settings of live mode; options of it that are given without it are refused, and those that it has no use for."""
    options = ("estimator", "start_bitrate", "feedback", "shortest_segment")
    given = [f"--{name.replace('_', '-')}" for name in options if getattr(arguments, name) is not None]
    if not live:
        if given:
            raise UserError(f"{given[0]}: is for --bitrate auto, and this run has a fixed budget or rung")
        return {}
    if arguments.quality is not None:
        raise UserError(
            "--quality: cannot be fixed with --bitrate auto, where it follows the link; leave one of them out"
        )
    if arguments.search not in (None, "guided"):
        raise UserError(f"--search {arguments.search}: plans ahead, which --bitrate auto cannot; leave it out")
    found: dict[str, Any] = {"live": True}
    if arguments.estimator is not None:
        from vidlink.sender.estimator import check_estimator

        check_estimator(arguments.estimator)
        found["estimator"] = arguments.estimator
    if arguments.start_bitrate is not None:
        found["start_bps"] = _rate("--start-bitrate", arguments.start_bitrate)
    if arguments.feedback is not None:
        if not 0.01 <= arguments.feedback <= 10:
            raise UserError(f"--feedback {arguments.feedback:g}: must be 0.01 to 10 seconds between reports")
        found["feedback_s"] = arguments.feedback
    shortest_s = arguments.shortest_segment
    if shortest_s is not None and not 0.1 <= shortest_s <= arguments.segment:
        raise UserError(
            f"--shortest-segment {shortest_s:g}: must be at least 0.1 and at most --segment ({arguments.segment:g} s)"
        )
    found["shortest_segment_s"] = min(0.25, arguments.segment) if shortest_s is None else shortest_s
    return found


def _rate(option: str, text: str) -> float:
    from vidlink.units import parse_rate

    try:
        return parse_rate(text)
    except UserError as error:
        raise UserError(f"{option}: {error}") from None


def parse_size(option: str, text: str | None) -> tuple[int, int] | None:
    """Parse ``320x240`` into width and height in pixels.

    Raises
    ------
    UserError
        Anything else; the message names the option.
    """
    if text is None:
        return None
    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) > 0 and int(height) > 0):
        raise UserError(f"{option} {text!r}: write width x height in pixels, like 320x240")
    return int(width), int(height)


def _divisors(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) > 0 for part in parts) or len(set(parts)) < len(parts):
        raise UserError(f"--divisors {text!r}: write different whole numbers from 1, like 1,2,4")
    return tuple(sorted(map(int, parts)))


def _frame_rate(text: str | None) -> Fraction | None:
    from fractions import Fraction

    if text is None:
        return None
    try:
        rate = Fraction(text)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if not 0 < rate <= 1000:
        raise UserError(f"--framerate {text!r}: write frames a second, like 25 or 30000/1001")
    return rate


def parse_arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line of ``python -m vidlink.simulate``."""
    return simulate_parser().parse_args(argv)
