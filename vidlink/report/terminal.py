"""What a person sees of a run while it goes on and when it is over."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from tqdm import tqdm

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vidlink.settings import Settings
    from vidlink.types import Segment
    from vidlink.video.source import Cut, Source


Item = TypeVar("Item")


class Watch:
    """Progress bars on stderr (where that is a terminal) and seconds spent in each stage."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._start = time.perf_counter()
        self._spent: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Count the time in this block to a stage."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._spent[stage] = self._spent.get(stage, 0.0) + time.perf_counter() - start

    def segments(self, source: Source, seconds: float | Cut, stage: str) -> Iterator[Segment]:
        """The segments of a source, with a progress bar."""
        stated = source.clip.seconds
        total = max(1, round(stated / seconds)) if stated and not callable(seconds) else None
        disable = True if self._quiet else None
        with tqdm(total=total, desc=f"{stage:>5}", unit="segment", disable=disable, leave=False) as bar:
            for segment in source.segments(seconds):
                yield segment
                bar.update()

    def each(self, stage: str, items: Iterable[Item]) -> Iterator[Item]:
        """The items, with the time it takes to wait for them counted to a stage."""
        iterator = iter(items)
        while True:
            with self(stage):
                try:
                    item = next(iterator)
                except StopIteration:
                    return
            yield item

    def timing_s(self) -> dict[str, float]:
        """Seconds by stage, and ``total``."""
        spent = {stage: round(seconds, 3) for stage, seconds in self._spent.items()}
        return spent | {"total": round(time.perf_counter() - self._start, 3)}


def preload() -> None:
    """Import what the end of a run needs: it takes half a second, which passes while the codec works."""
    from importlib import import_module

    for module in ("matplotlib.figure", "pandas"):
        import_module(module)


def summarize(settings: Settings, source: Source, scores: dict[str, Any]) -> dict[str, Any]:
    """``summary.json`` but for the timing: input, settings, scores, notes, version."""
    from vidlink import __version__
    from vidlink.settings import as_json

    clip = source.clip
    if len(scores["plan"]) == 1 and settings.segment_s > scores["seconds"] + 0.1:
        source.note(f"the clip is shorter than a segment of {settings.segment_s:g} s: it was coded as one")
    width, height = clip.cut_from or (clip.width, clip.height)
    region = {"kind": "face" if clip.cut_from else "frame", "width": clip.width, "height": clip.height}
    rate = scores["rate"]
    if rate["utilisation"] and rate["utilisation"] > 1:
        source.note(
            f"the fixed rung takes {rate['wire_bps'] / 1000:.1f} kb/s, more than the budget: "
            "its packets leave at the budget's rate, later and later"
        )
    return {
        "input": {
            "path": clip.name,
            "frames": sum(scores["frames"].values()),
            "fps": round(float(clip.frame_rate), 6),
            "width": width,
            "height": height,
            "seconds": round(scores.pop("seconds"), 6),
        },
        "region": region,
        "settings": as_json(settings),
        **scores,
        "notes": source.notes,
        "vidlink": __version__,
    }


def print_shelf(kind: str) -> None:
    """Print what there is of ``codecs``, ``channels``, ``estimators`` or ``recognizers``, a line each."""
    from vidlink.codec.shelf import load_channel, load_codec, names
    from vidlink.recognizers.recognize import list_recognizers

    if kind == "recognizers":
        lines = list_recognizers()
    elif kind == "estimators":
        from vidlink.sender.estimator import list_estimators

        lines = list_estimators()
    elif kind == "codecs":
        lines = {name: load_codec(name).description for name in names("codecs")}
    else:
        lines = {name: load_channel(name).description for name in names("channels")}
    width = max(map(len, lines), default=0)
    for name, line in lines.items():
        print(f"{name:<{width}}  {line}")


def print_summary(summary: dict[str, Any], folder: str) -> None:
    """The outcome of a run as a short table on stdout."""
    clip, rate, delivery = summary["input"], summary["rate"], summary["delivery"]
    frames, quality, settings = summary["frames"], summary["quality"], summary["settings"]
    rows = [
        (
            "clip",
            f"{clip['path']}  {clip['width']}x{clip['height']}  {clip['fps']:g} frames/s  {clip['seconds']:.2f} s",
        ),
        *([("region", _region(summary["region"]))] if summary["region"]["kind"] == "face" else []),
        ("codec, channel", f"{settings['codec']}, {settings['channel']}"),
        ("wire rate", _rate(rate)),
        *([("estimator", _estimator(summary["live"]))] if "live" in summary else []),
        ("payload", f"{_kbps(rate['payload_bps'])}  {rate['bpp']:.4f} bpp  (wire {rate['wire_bpp']:.4f} bpp)"),
        ("scales", _scales(summary["plan"])),
        ("packets", _packets(delivery)),
        ("frames", ", ".join(f"{count} {status}" for status, count in frames.items() if count)),
    ]
    if quality["psnr_db"] is not None:
        rows.append(("quality", f"PSNR {quality['psnr_db']:.2f} dB  SSIM {quality['ssim']:.4f}" + _vmaf(quality)))
    rows += _recognition(summary["recognition"])
    rows += [("note", note) for note in summary["notes"]]
    rows += [("time", f"{summary['timing_s']['total']:.1f} s"), ("run folder", folder)]
    width = max(len(name) for name, _ in rows)
    for name, text in rows:
        print(f"{name:<{width}}  {text}")
    sys.stdout.flush()


def _region(region: dict[str, Any]) -> str:
    return f"a window of {region['width']}x{region['height']} about a face; bpp, PSNR, SSIM and film are of it"


def _kbps(bits: float) -> str:
    return f"{bits / 1000:.1f} kb/s"


def _rate(rate: dict[str, Any]) -> str:
    if rate["target_bps"] is None:
        return _kbps(rate["wire_bps"])
    return f"{_kbps(rate['wire_bps'])} of {_kbps(rate['target_bps'])} ({100 * rate['utilisation']:.1f} %)"


def _estimator(live: dict[str, Any]) -> str:
    text = live["estimator"]
    if live["capacity_used"] is not None:
        text += f", {100 * live['capacity_used']:.1f} % of {_kbps(live['capacity_bps'])} used"
    if live["queue_s"]["p95"] is not None:
        text += f", 95 % of packets within {1000 * live['queue_s']['p95']:.0f} ms in the link"
    for what, count in (
        ("too late to be sent", live["discarded_packets"]),
        ("unsound answers", live["unsound_answers"]),
    ):
        if count:
            text += f", {count} {what}"
    return text


def _scales(plan: list[dict[str, Any]]) -> str:
    scales = [row["scale"] for row in plan]
    return ", ".join(f"{scale:g} ({scales.count(scale)} segments)" for scale in sorted(set(scales)))


def _packets(delivery: dict[str, Any]) -> str:
    text = f"{delivery['packets']} sent, {delivery['lost']} lost ({100 * delivery['loss_rate']:.1f} %)"
    if delivery["lost"]:
        text += f" in bursts of {delivery['mean_burst']:.1f}"
    for what in ("late", "recovered", "retransmitted"):
        if delivery[what]:
            text += f", {delivery[what]} {what}"
    delay = delivery["delay_s"]
    if delay["p50"] is not None:
        text += f"; delay {1000 * delay['p50']:.0f} ms, 95 % within {1000 * delay['p95']:.0f} ms"
    return text


def _vmaf(quality: dict[str, Any]) -> str:
    return f"  VMAF {quality['vmaf']:.1f}" if quality.get("vmaf") is not None else ""


def _recognition(found: dict[str, Any] | None) -> list[tuple[str, str]]:
    if found is None:
        return []
    if not found["n"]:
        why = "the labels are of no face and time that were looked at"
        if not found["faces"]:
            why = "no face was found (--roi x,y,w,h says where one is)"
        return [(found["task"], f"nothing to score: {why}")]
    against = "labels" if found["against"] == "labels" else "its own output on the pristine clip"
    if "accuracy" in found:
        return _named(found, against)
    faces = f", {found['faces']} faces" if found["faces"] > 1 else ""
    rows = [(found["task"], f"{found['recognizer']} against {against}, {found['n']} values{faces}")]
    for name in found["cc"]:
        scores = f"CC {found['cc'][name]:.3f}  CCC {found['ccc'][name]:.3f}  RMSE {found['rmse'][name]:.3f}"
        rows.append((f"  {name}", scores))
    return rows


def _named(found: dict[str, Any], against: str) -> list[tuple[str, str]]:
    """What a recognizer of classes named."""
    low, high = found["interval"]
    share = f"{100 * found['accuracy']:.1f} % of {found['n']} windows ({100 * low:.0f} to {100 * high:.0f} %)"
    wanted = found["class_label"] or found["class_pristine"]
    verdict = found["class"] if found["class"] == wanted else f"{found['class']}, not {wanted}"
    return [
        (found["task"], f"{found['recognizer']} against {against}: {share}"),
        ("  clip", verdict if found["accuracy_clip"] is not None else found["class"]),
    ]
