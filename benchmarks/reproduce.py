"""Every result that the documents show: what makes it, from which commit and weights it was made, and if it is stale.

``--list`` prints a line a result. A result is stale where its stored JSON is not there or does not say what it was made
from, where the weights that ship are others by now, or where a commit after its own changed the code that it measures.
``python benchmarks/reproduce.py NAME ...`` makes results again, one after another. ``--check`` ends with status 1 where
one is stale.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bench
from stored import RESULTS, Result

from vidlink.command import run_command
from vidlink.errors import UserError, unknown

if TYPE_CHECKING:
    from collections.abc import Sequence


def state_of(result: Result, root: Path = bench.ROOT) -> tuple[dict[str, Any], str]:
    """What a result was made from (empty where it does not say), and why it is stale (empty where it is not)."""
    try:
        stored = json.loads((root / result.file).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}, "never made"
    except ValueError:
        return {}, "its JSON is damaged"
    made = stored.get("made") or {}
    if not made.get("commit"):
        return made, "does not say from which commit it is"
    now = bench.made()["weights"]
    for name in result.weights:
        if made.get("weights", {}).get(name) != now.get(name):
            return made, f"other weights by now: {name}"
    commit, dirty, _ = made["commit"].partition("-dirty")
    if dirty:
        return made, "made with changes that were not committed"
    return made, _changed_since(commit, result.code, root)


def _changed_since(commit: str, paths: Sequence[str], root: Path) -> str:
    """The first of these files that a commit after this one changed, in words; empty where none was.

    A file that was not there could not be measured; it counts once one that was there is changed to use it.
    """
    words = ["git", "-C", str(root), "diff", "--name-only", "--diff-filter=a", commit, "HEAD", "--", *paths]
    try:
        found = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "git is not there to say what changed since"
    if found.returncode:
        return f"its commit {commit[:9]} is not in this checkout"
    changed = found.stdout.split()
    more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
    return f"changed since: {changed[0]}{more}" if changed else ""


def listed(results: Sequence[Result]) -> str:
    """The table of ``--list``."""
    rows = []
    for result in results:
        made, stale = state_of(result)
        cpu = f"{made['cpu_s'] / 60:.0f} min" if made.get("cpu_s") is not None else "-"
        commit = str(made.get("commit") or "-")[:9]
        shown = ", ".join(Path(page).name for page in result.pages)
        rows.append([result.name, shown, commit, cpu, f"stale: {stale}" if stale else "fresh", f"`{result.command}`"])
    return bench.markdown(["result", "shown in", "commit", "processor time", "state", "command"], rows)


def run(result: Result) -> None:
    """Make a result again.

    Raises
    ------
    UserError
        Its command fails.
    """
    print(result.command, file=sys.stderr)
    words = [sys.executable, *shlex.split(result.command)[1:]]
    status = subprocess.run(words, cwd=bench.ROOT, env=os.environ, check=False).returncode
    if status:
        raise UserError(f"{result.name}: its command ended with status {status}")


def commands_in(pages: Sequence[Path]) -> set[str]:
    """The benchmarks that write a JSON into ``docs/``, as documents call them."""
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    return set(re.findall(r"benchmarks/(\w+)\.py [^`\n]*--json docs/", text))


def main() -> None:
    """List, check, or make again."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="results to make again")
    parser.add_argument("--list", action="store_true", help="list them all (also without NAME)")
    parser.add_argument("--check", action="store_true", help="status 1 where one is stale")
    arguments = parser.parse_args()
    known = {result.name: result for result in RESULTS}
    for name in arguments.names:
        if name not in known:
            raise unknown("result", name, known)
    for name in arguments.names:
        run(known[name])
    if arguments.list or not arguments.names:
        print(listed(RESULTS))
    if arguments.check and any(state_of(result)[1] for result in RESULTS):
        sys.exit(1)


if __name__ == "__main__":
    run_command(main)
