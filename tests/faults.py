"""Strikes a program at each of its file operations in turn: kills it there, or lets its disk be full.

Each attempt is a fork of a process that has imported everything, so that hundreds take seconds. What is struck are
Python's own file operations (its audit events); half-written files are made by a limit on their size.
``python tests/faults.py FOLDER CLIP SCENARIO ...`` plays scenarios, and ends with status 0 if all went as it should.
"""

import contextlib
import errno
import io
import os
import resource
import signal
import sys
from pathlib import Path

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
OPERATIONS = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate")
KILLED = 137


def strike(folder, number, how):
    """From now on this process is struck at its n-th file operation below a folder."""
    count = 0

    def hook(event, arguments):
        nonlocal count
        if event != "open" and event not in OPERATIONS:
            return
        if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & WRITING):
            return
        if not (isinstance(arguments[0], str | bytes | os.PathLike)):
            return
        if not os.fsdecode(arguments[0]).startswith(str(folder)):
            return
        count += 1
        if count == number:
            if how == "kill":
                os._exit(KILLED)
            if how == "term":
                os.kill(os.getpid(), signal.SIGTERM)
            elif event in ("open", "os.mkdir", "os.rename"):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), arguments[0])

    sys.addaudithook(hook)
    return lambda: count


def attempt(command, folder=None, number=0, how="kill", limit=None):
    """Run a command in a fork, struck or not: its exit status, what it said, and whether it got beyond the strike."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status, said = 1, io.StringIO()
        counted = strike(folder, number, how) if folder else lambda: number
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        from vidlink.command import run_command

        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            try:
                run_command(command)
                status = 0
            except SystemExit as end:
                status = end.code
            except BaseException:
                import traceback

                traceback.print_exc()
        os.write(writing, f"{counted()}\n{said.getvalue()}".encode()[:60_000])
        os._exit(status)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        count, _, said = pipe.read().partition("\n")
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), said, bool(count) and int(count) < number


def hidden(folder):
    """What lies there that nobody is meant to see."""
    return sorted(str(path) for path in folder.rglob(".*") if path.name != ".lock")


def simulate(clip, out, *more, options=None):
    """A small run as a command."""

    def command():
        from vidlink.simulate import main

        sys.argv = ["simulate", str(clip), *(options or RUN), "--out", str(out), *more]
        main()

    return command


FIXED = ("--scale", "1", "--quality", "40", "--recognizer", "none", "--no-scores", "--segment", "0.2")
RUN = (*FIXED, "--no-plot", "--no-video", "--no-report")
FILES = {"summary.json", "run.json", "segments.csv", "frames.csv", "packets.csv", "predictions.csv"}


def whole(place):
    """Check that there is a whole run folder."""
    import json

    assert json.loads((place / "summary.json").read_text())["complete"] is True
    assert {path.name for path in place.iterdir()} >= FILES, sorted(place.iterdir())


def each(command, folder, how, prepare, step, first=1):
    """Strike a command at every ``step``-th operation: yields what came of each until it gets through.

    With VIDLINK_LONG it is three times as many, with VIDLINK_EVERY_OPERATION all of them.
    """
    if os.environ.get("VIDLINK_EVERY_OPERATION"):
        first = step = 1
    elif os.environ.get("VIDLINK_LONG"):
        first, step = 1, max(1, step // 3)
    for number in range(first, 1000, step):
        prepare()
        status, said, through = attempt(command, folder, number, how)
        if through:
            assert status == 0, said
            assert number > 5, "nothing was struck"
            return
        yield status, said
    raise AssertionError("it never got through")


def empty(folder):
    """Remove what is in a folder."""
    import shutil

    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def run_killed(folder, clip):
    out = folder / "runs" / "R"
    out.parent.mkdir()
    for status, said in each(simulate(clip, out), folder, "kill", lambda: empty(out.parent), step=3):
        assert status == KILLED, said
        if out.exists():
            whole(out)
        status, said, _ = attempt(simulate(clip, out.with_name("other") if out.exists() else out))
        assert status == 0, said
        whole(out)
        assert hidden(folder) == []


def run_full(folder, clip):
    out = folder / "runs" / "R"
    out.parent.mkdir()
    for status, said in each(simulate(clip, out), folder, "full", lambda: empty(out.parent), step=3, first=2):
        one_line_or_whole(status, said, out)
        assert hidden(folder) == []


def one_line_or_whole(status, said, out):
    if status == 0:  # what is kept for --resume, or cleared away, is not needed
        whole(out)
        return
    assert (status, len(said.splitlines())) == (2, 1), said
    assert "cannot be written" in said
    assert not out.exists()


def run_limited(folder, clip):
    """Full at every write, the first bytes of a file or its last; with film and plot."""
    out = folder / "runs" / "R"
    limits, refused = [0, 1, 1000, 6000, 20_000, 66_000, 120_000, 10_000_000], 0
    for limit in limits:
        status, said, _ = attempt(simulate(clip, out, options=FIXED), limit=limit)
        one_line_or_whole(status, said, out)
        assert hidden(folder) == []
        refused += status == 2
        if out.exists():
            empty(out.parent)
    assert 3 < refused < len(limits)


def run_replaced(folder, clip, exchange=True):
    """There is a whole run at the place, whenever the one that is to replace it is killed."""
    out = folder / "runs" / "R"
    status, said, _ = attempt(simulate(clip, out))
    assert status == 0, said
    for status, said in each(
        simulate(clip, out, "--overwrite"), folder, "kill", lambda: None, step=3, first=1 if exchange else 2
    ):
        assert status == KILLED, said
        if exchange:
            whole(out)
        # The next run beside it brings back what was moved away, and clears up.
        status, said, _ = attempt(simulate(clip, out.with_name("other"), "--overwrite"))
        assert status == 0, said
        whole(out)
        assert hidden(folder) == []


def run_replaced_in_two_steps(folder, clip):
    from unittest.mock import patch

    with patch("vidlink.files.claim.exchange", lambda one, other: False):
        run_replaced(folder, clip, exchange=False)


def run_terminated(folder, clip):
    """SIGTERM at each file operation: nothing is left, or what is marked as incomplete, or all."""
    out = folder / "runs" / "R"
    out.parent.mkdir()
    for status, said in each(simulate(clip, out), folder, "term", lambda: empty(out.parent), step=3, first=3):
        assert (status, len(said.splitlines())) == (143, 1), said
        assert hidden(folder) == []
        if out.exists():
            assert "holds" in said or "is whole" in said, said


def sweep_killed(folder, clip):
    """A sweep in this process, killed at each file operation, goes on to the same tables."""
    from vidlink.sweeping.grid import sweep_from
    from vidlink.sweeping.sweep import sweep

    sys.path.insert(0, str(Path(__file__).parent))
    from swept import Threads, same_tables

    settings = {"input": str(clip), "scale": 1, "recognizer": "none", "no-scores": True, "no-video": True}
    grid = {"settings": settings, "grid": {"quality": [40, 50]}}

    def command(out):
        def run():
            points = list(sweep_from(grid, "test").make_points(Path()))
            sweep(points, out, Threads(), keep_runs=True, quiet=True)

        return run

    unbroken, out = folder / "unbroken", folder / "out"
    assert attempt(command(unbroken))[0] == 0

    def prepare():
        if out.exists():
            empty(out)

    for status, said in each(command(out), out, "kill", prepare, step=40):
        assert status == KILLED, said
        status, said, _ = attempt(command(out))
        assert status == 0, said
        assert same_tables(out, unbroken)
        assert hidden(folder) == []


def training(out, data, *more):
    def command():
        from vidlink.train import main

        words = ["--network", "srcnn", "--width", "4", "--scale", "2", "--steps", "2", "--batch", "2"]
        main(["--task", "sr", "--data", f"images:{data}", *words, "--out", str(out), "--quiet", *more])

    return command


def training_struck(folder, how, overwrite=()):
    import cv2
    import numpy as np
    import torch

    torch.set_num_threads(1)
    data, place = folder / "data", folder / "w"
    data.mkdir()
    place.mkdir()
    cv2.imwrite(str(data / "a.png"), np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    out = place / "x.safetensors"
    status, said, _ = attempt(training(out, data))
    assert status == 0, said
    unbroken = {path.name: path.read_bytes() for path in place.iterdir()}

    def prepare():
        empty(place)
        if overwrite:
            for name, content in unbroken.items():
                (place / name).write_bytes(content)

    for status, said in each(training(out, data, *overwrite), place, how, prepare, step=40):
        if how == "kill":
            assert status == KILLED, said
        else:
            assert status in (0, 2), said
            assert len(said.splitlines()) <= 1
        if out.exists():
            assert (place / "x.json").exists(), "weights without their card"
        # Where all was done but for tidying up, there is nothing to go on with.
        left = out.exists() and not (place / "x.checkpoint").exists()
        status, said, _ = attempt(training(out, data, *(overwrite or (["--overwrite"] if left else []))))
        assert status == 0, said
        found = {path.name: path.read_bytes() for path in place.iterdir()}
        assert sorted(found) == sorted(unbroken)
        assert found == unbroken, [name for name in found if found[name] != unbroken[name]]
    assert hidden(folder) == []


def training_killed(folder, clip):
    training_struck(folder, "kill")


def training_replaced(folder, clip):
    training_struck(folder, "kill", ("--overwrite",))


def training_full(folder, clip):
    training_struck(folder, "full")


if __name__ == "__main__":
    import torch  # noqa: F401  # here: a thread of a fork that imports it may wait for ever

    import vidlink.report.provenance as provenance

    provenance.git_revision = lambda: None  # three programs a run
    place, film, scenarios = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
    place.mkdir()
    # What is imported once is not imported in each fork.
    if scenarios[0].startswith("training"):
        import vidlink.data.images
        import vidlink.nets.build
        import vidlink.report.curves
        import vidlink.training.loop
        import vidlink.training.restore
        import vidlink.training.superresolution
    else:
        with contextlib.redirect_stdout(io.StringIO()):
            simulate(film, place / "warm", options=FIXED)()
    if "sweep_killed" in scenarios:
        import vidlink.sweeping.sweep  # noqa: F401
    for scenario in scenarios:
        print(scenario, flush=True)  # what an error is of
        (place / scenario).mkdir()
        globals()[scenario](place / scenario, film)
