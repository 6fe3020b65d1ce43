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

    from vidlink.codec.shelf import load_channel, load_codec
    from vidlink.data.builtin import open_builtin
    from vidlink.faces.follow import cut_out
    from vidlink.labels.classes import ClassLabels
    from vidlink.link.capture import Captures
    from vidlink.link.live import LiveLink, connect
    from vidlink.link.lossless import decode_all
    from vidlink.link.planned import Link
    from vidlink.pipeline import in_order, thread_pool
    from vidlink.receiver.receive import Receiver
    from vidlink.report.summary import preload, summarize
    from vidlink.report.thumbnails import Thumbnails
    from vidlink.report.watch import Watch
    from vidlink.scores.judge import load_judge
    from vidlink.scores.live_summary import summarize_live
    from vidlink.scores.objective import make_objective
    from vidlink.scores.scores import Scores
    from vidlink.sender.live_sender import LiveSender
    from vidlink.sender.sender import Sender
    from vidlink.video.film import Film
    from vidlink.video.open import open_source

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
        expected_loss=profile.loss.expected(),
        header_bytes=profile.header_bytes,
        memory=memory,
        labels=boxes,
    )
    receiver = Receiver(codec, latency_s=sender.latency_s, deadline_s=settings.deadline_s, waits=not settings.live)
    scores = Scores(clip, settings, recognizer=recognizer, labels=labels, memory=memory)
    thumbnails = Thumbnails(clip)
    captures = Captures(settings.pcap, settings.pcap_received)
    film = Film(folder.path / "received.mp4", clip) if settings.save_video else None

    with thread_pool(settings.workers) as pool, film or nullcontext(), scores:
        pool.submit(preload)
        coded = sender.coded(
            lambda stage: watch.segments(source, sender.cut, stage),
            objective=make_objective(settings.objective, clip, recognizer),
            decode=partial(decode_all, codec=codec),
            pool=pool,
        )
        carried = captures.watch(link.carry((segment, each, sender.send(each)) for segment, each in coded))
        # What crossed the wire goes to the receiver, the ledger goes past it to the scores.
        ways = ((receiver.collect(each.wire), each.ledger) for each in carried)
        decoded = in_order(pool, lambda way: receiver.decode(way[0]), ways, ahead=2)
        for (arrival, ledger), pictures in watch.each("link", decoded):
            segment, shown = ledger.segment, receiver.hold(arrival, pictures)
            with watch("score"):
                screen = scores.add(ledger, arrival, shown)
            thumbnails.look(segment, screen)
            if film:
                with watch("film"):
                    film.show(screen, segment)

    from vidlink.report.plot import draw_run

    with watch("write"):
        tables = scores.tables()
        summary = summarize(settings, source, scores.summary(tables, target_bps=settings.bitrate_bps))
        if isinstance(link, LiveLink) and isinstance(sender, LiveSender):
            summary["live"] = summarize_live(settings, link, sender, tables, summary["input"]["seconds"])
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
        from vidlink.report.shelf import print_shelf

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
