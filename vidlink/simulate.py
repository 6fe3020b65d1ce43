"""One run: sender, channel, receiver, scores, run folder. ``python -m vidlink.simulate --bitrate 64k``.

Read :func:`simulate` from top to bottom: it is the block diagram.
"""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

from vidlink.command import run_command
from vidlink.errors import UserError
from vidlink.options import parse_arguments, settings_from
from vidlink.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from vidlink.report.run_folder import RunFolder
    from vidlink.sender.memory import Memory


def simulate(
    settings: Settings, folder: RunFolder, *, quiet: bool = False, memory: Memory | None = None
) -> dict[str, Any]:
    """Send one clip over one channel and fill the run folder.

    Parameters
    ----------
    settings
        What to send, how, and over what.
    folder
        Open run folder: tables, film, plot and ``summary.json`` go there.
    quiet
        Whether to show no progress bars.
    memory
        What runs share, such as trial encodes.

    Returns
    -------
    dict
        The content of ``summary.json``.

    Raises
    ------
    UserError
        The input or the settings are wrong.
    """
    import numpy as np

    from vidlink.channel.loss import expected_loss
    from vidlink.codec.profiles import load_channel, load_codec
    from vidlink.data.builtin import open_builtin
    from vidlink.faces.follow import cut_out
    from vidlink.labels.classes import ClassLabels
    from vidlink.link.capture import Captures
    from vidlink.link.live import LiveLink, connect
    from vidlink.link.planned import Link
    from vidlink.pipeline import in_order, thread_pool
    from vidlink.receiver.receive import Receiver
    from vidlink.report.terminal import Watch, preload, summarize
    from vidlink.report.thumbnails import Thumbnails
    from vidlink.scores.live_summary import summarize_live
    from vidlink.scores.objective import make_objective
    from vidlink.scores.scores import Scores, load_judge
    from vidlink.scores.vmaf import Vmaf
    from vidlink.sender.live_sender import LiveSender
    from vidlink.sender.sender import Sender
    from vidlink.video.film import Film
    from vidlink.video.source import open_source

    settings.check_budget()
    watch = Watch(quiet=quiet)
    with watch("open"):
        codec, profile = load_codec(settings.codec), load_channel(settings.channel)
        if settings.input is None:
            source = open_builtin()
        else:
            source = open_source(settings.input, video_size=settings.video_size, frame_rate=settings.framerate)
        recognizer, labels = load_judge(settings, source.labels)
        boxes = None if isinstance(labels, ClassLabels) else labels
        source = cut_out(source, settings, boxes, memory.boxes if memory else None)
        clip = source.clip

    rng = np.random.default_rng(settings.seed)
    link: Link | LiveLink
    make_sender: Callable[..., Sender] = Sender
    if settings.live:
        link = connect(settings, profile, rng=rng)
        make_sender = partial(LiveSender, wire=link)
    else:
        link = Link(profile, rate_bps=settings.bitrate_bps, deadline_s=settings.deadline_s, nack=settings.nack, rng=rng)
    sender = make_sender(
        settings,
        clip=clip,
        codec=codec,
        faces=recognizer is not None and recognizer.wants.region == "face",
        expected_loss=expected_loss(profile.loss),
        header_bytes=profile.header_bytes,
        memory=memory,
        labels=boxes,
    )
    receiver = Receiver(codec, latency_s=sender.latency_s, deadline_s=settings.deadline_s, waits=not settings.live)
    scores = Scores(
        clip,
        recognizer=recognizer,
        labels=labels,
        score_pictures=settings.score_pictures,
        every=settings.recognize_every,
        memory=memory,
    )
    thumbnails = Thumbnails(clip)
    captures = Captures(settings.pcap, settings.pcap_received)
    film = Film(folder.path / "received.mp4", clip) if settings.save_video else None
    vmaf = Vmaf(clip, folder.path) if settings.vmaf else None

    with thread_pool(settings.workers) as pool, film or nullcontext(), vmaf or nullcontext():
        pool.submit(preload)
        coded = sender.coded(
            lambda stage: watch.segments(source, sender.cut, stage),
            objective=make_objective(settings.objective, clip, recognizer),
            decode=receiver.decode_all,
            pool=pool,
        )
        carried = link.carry((segment, each, sender.send(each)) for segment, each in coded)
        arrivals = (receiver.collect(each) for each in captures.watch(carried))
        for arrival, pictures in watch.each("link", in_order(pool, receiver.decode, arrivals, ahead=2)):
            segment, receptions = arrival.carried.segment, receiver.hold(arrival, pictures)
            with watch("score"):
                screen = scores.add(arrival, receptions)
            thumbnails.look(segment, screen)
            if film:
                with watch("film"):
                    film.show(screen, segment)
            if vmaf:
                with watch("vmaf"):
                    vmaf.add(screen, segment.frames)

    from vidlink.report.plot import draw_run

    with watch("write"):
        tables = scores.tables()
        summary = summarize(settings, source, scores.summary(tables, target_bps=settings.bitrate_bps))
        if isinstance(link, LiveLink) and isinstance(sender, LiveSender):
            summary["live"] = summarize_live(settings, link, sender, tables, summary["input"]["seconds"])
        if vmaf:
            summary["quality"]["vmaf"] = vmaf.score
        captures.write()
        folder.write_tables(tables)
        if settings.save_plot:
            draw_run(folder.path / "plot.png", summary, tables, thumbnails)
    summary["timing_s"] = watch.timing_s()
    if sender.trials:
        summary["timing_s"] |= {"encode_cpu": round(sender.trials.encode_cpu_s, 3), "encodes": sender.trials.count}
    folder.write_json("summary.json", summary)
    return summary


def main() -> None:
    """The command ``python -m vidlink.simulate``."""
    arguments = parse_arguments()
    if arguments.list:
        from vidlink.report.terminal import print_shelf

        print_shelf(arguments.list)
        return
    settings = settings_from(arguments)

    from vidlink.report.run_folder import RunFolder, fresh_place, run_name
    from vidlink.report.terminal import print_summary

    place = arguments.out or fresh_place(run_name(settings))
    with RunFolder(place, overwrite=arguments.overwrite) as folder:
        summary = simulate(settings, folder)
    print_summary(summary, str(place))
    if summary.get("recognition_error"):
        raise UserError(f"{summary['recognition_error']} (all else of the run is in {place})")


if __name__ == "__main__":
    run_command(main)
