"""One run: sender, link, receiver, scores. ``python -m vidlink.simulate --bitrate 64k``.

Read :func:`simulate` from top to bottom: it is the block diagram.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from vidlink.command import run_command
from vidlink.options import parse_arguments, settings_from
from vidlink.report.clips import run_inputs
from vidlink.report.stop import UntilStopped, stoppable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from vidlink.report.run import Run
    from vidlink.sender.memory import Memory
    from vidlink.settings import Settings


@stoppable
def simulate(settings: Settings, *, film: Path | None = None, quiet: bool = False, memory: Memory | None = None) -> Run:
    """Send one clip over one channel. Films go to and beside ``film``; what runs share is in ``memory``.

    Raises
    ------
    UserError
        The input or the settings are wrong.
    Stopped
        Somebody asked to stop; it has what was done.
    """
    import numpy as np

    from vidlink.codec.shelf import load_channel, load_codec
    from vidlink.data.builtin import open_input
    from vidlink.faces.follow import cut_out
    from vidlink.link.capture import Captures
    from vidlink.link.lossless import decode_all
    from vidlink.link.probe import check_codec, check_regions
    from vidlink.link.rooms import make_rooms
    from vidlink.pipeline import Background, thread_pool
    from vidlink.report.run import Run
    from vidlink.report.summary import conclude, preload, timing
    from vidlink.report.thumbnails import Thumbnails
    from vidlink.report.verdict import judge_run
    from vidlink.report.watch import Watch
    from vidlink.restorers.chosen import make_restoration
    from vidlink.scores.interest import make_interest
    from vidlink.scores.judge import load_judge
    from vidlink.scores.movement import make_features
    from vidlink.scores.objective import make_objective
    from vidlink.scores.redraw import Redraws
    from vidlink.scores.scores import Scores
    from vidlink.video.films import Films
    from vidlink.video.park import few_for

    settings.check_budget()
    watch = Watch(quiet=quiet)
    with watch("open"):
        codec, profile = check_codec(load_codec(settings.codec)), load_channel(settings.channel, settings.loss)
        source = open_input(settings)
        judge = load_judge(settings, source.labels)
        interest = make_interest(source.clip, judge.recognizer) if settings.roi == "qp" else None
        if interest:
            check_regions(codec)
        source = cut_out(source, settings, judge.boxes, memory.boxes if memory else None)
        clip = source.clip
    rng = np.random.default_rng(settings.seed)
    rooms = make_rooms(settings, clip, codec, profile, judge.wants_faces, judge.boxes, memory=memory, rng=rng)
    sender, link, receiver = rooms
    scores = Scores(clip, settings, judge=judge, restoration=make_restoration(clip, settings), memory=memory)
    captures, thumbnails = Captures(settings.pcap, settings.pcap_received), Thumbnails(clip)
    redraws = Redraws(settings, codec, profile, latency_s=sender.latency_s)
    workers = settings.workers or few_for(clip)
    # Live, what is coded depends on what became of what was sent; and what is made early takes memory.
    background = Background(early=workers != 1 and not settings.live)
    with thread_pool(workers) as pool, Films(film, clip, settings) as films, scores, background:
        pool.submit(preload)
        coded = sender.coded(
            lambda stage: background.made(watch.segments(source, sender.cut, stage), ahead=4),
            objective=make_objective(settings.objective, clip, judge.recognizer),
            features=make_features(settings.frames, clip, judge.recognizer, memory),
            interest=interest,
            decode=partial(decode_all, codec=codec),
            pool=background.pool(pool),
        )
        sent = redraws.watch((segment, each, sender.send(each)) for segment, each in background.made(coded))
        carried = captures.watch(link.carry(sent))
        # What crossed the wire goes to the receiver, the ledger goes past it to the scores.
        ways = ((receiver.collect(each.wire), each.ledger) for each in carried)
        decoded = ((arrival, receiver.decode(arrival), ledger) for arrival, ledger in ways)
        for arrival, pictures, ledger in (
            segments := UntilStopped(watch.each("link", decoded), lambda item: item[2].segment.last)
        ):
            shown = receiver.hold(arrival, pictures)
            with watch("score"):
                segment, screen = scores.drawn(ledger.segment, scores.add(ledger, arrival, shown))
            thumbnails.look(segment, screen)
            films.show(screen, segment, watch)

    with watch("write"):
        tables, summary = conclude(settings, source, rooms, scores, complete=segments.complete)
        captures.write(len(summary["plan"]))
    with watch("judge"):
        summary |= judge_run(summary, tables, redraws)
    summary |= timing(watch, sender.trials, sender.overfit)
    chosen, files = tuple(thumbnails.chosen()), scores.files() if settings.save_video else {}
    return Run(settings=settings, summary=summary, tables=tables, pictures=chosen, files=files)


def run_into(place: Path | None, settings: Settings, **how: bool) -> Run:
    """Run, and write a run folder, which appears once the run is over or stopped; see :func:`.resume.run_in`."""
    from vidlink.report.resume import run_in

    return run_in(place, settings, simulate, **how)


def main(words: Sequence[str] | None = None) -> None:
    """The command ``python -m vidlink.simulate``."""
    options = parse_arguments(words)
    how = {"overwrite": bool(options.overwrite), "resume": bool(options.resume)}
    run_inputs(options.input or [], settings_from(options), options.out, run_into, **how)


if __name__ == "__main__":
    run_command(main)
