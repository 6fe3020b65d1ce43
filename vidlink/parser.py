"""The command line of every command: a short help and a whole one, errors in one line, completion by the shell."""

from __future__ import annotations

import argparse
import difflib
import os
import sys
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Sequence

_CALLED: list[str] = []


def call_as(name: str) -> None:
    """Let parsers call their command so from now on, ``vidlink run`` for instance, whatever they say themselves."""
    _CALLED[:] = [name]


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line on stderr and exit status 2.

    A file whose name begins with a dash is a file, unless an option has that name.

    Parameters
    ----------
    examples
        Command lines that the help shows, without the name of the command.
    common
        Names of arguments, as in the namespace, that ``--help`` explains; ``--help-all`` explains all. Empty: both do.
    keywords
        As :class:`argparse.ArgumentParser` has them.
    """

    def __init__(self, *, examples: Sequence[str] = (), common: Sequence[str] = (), **keywords: Any) -> None:
        helpful = keywords.pop("add_help", True)
        if _CALLED:
            keywords["prog"] = _CALLED[0]
        super().__init__(add_help=False, **keywords)
        self.examples, self.common, self.heading = tuple(examples), tuple(common), "examples"
        if helpful:
            whole = "show every option, and end" if common else argparse.SUPPRESS
            self.add_argument("-h", "--help", action=_Help, help="show this, and end")
            self.add_argument("--help-all", action=_Help, whole=True, help=whole)

    def format_help(self) -> str:
        """Every argument."""
        return self._explain(self._actions)

    def format_short_help(self) -> str:
        """The common arguments, and how to see the others."""
        if not self.common:
            return self.format_help()
        shown = [action for action in self._actions if action.dest in (*self.common, "help", "help_all")]
        return self._explain(shown, f"{self.prog} --help-all shows {len(self._actions) - len(shown)} more options.")

    def _explain(self, shown: Sequence[argparse.Action], more: str = "") -> str:
        """Usage, description, examples, the arguments under their headings, the epilog."""
        head, tail = self._get_formatter(), self._get_formatter()
        required = [action for action in shown if action.required or not action.option_strings]
        if more:  # All of them in brackets would fill half a screen.
            words = " ".join(head._format_usage(None, required, [], "").split()).removeprefix(self.prog).strip()
            head.add_usage(" ".join(part for part in ("%(prog)s", words, "[options]") if part), shown, [])
        else:
            head.add_usage(self.usage, shown, self._mutually_exclusive_groups)
        head.add_text(self.description)
        for group in self._action_groups:
            tail.start_section(group.title)
            tail.add_text(group.description)
            tail.add_arguments([action for action in group._group_actions if action in shown])
            tail.end_section()
        tail.add_text(self.epilog)
        tail.add_text(more.replace("%", "%%"))
        examples = "".join(f"  {self.prog} {example}\n" for example in self.examples)
        parts = [head.format_help(), f"{self.heading}:\n{examples}" if examples else "", tail.format_help()]
        return "\n".join(part for part in parts if part)

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As :meth:`argparse.ArgumentParser.parse_args`; of a misspelt option the error names the nearest one."""
        self._complete()
        words = [self._as_file(word) for word in (sys.argv[1:] if args is None else args)]
        for word in words[: words.index("--")] if "--" in words else words:
            if word.startswith("--") and " " not in word and not self._known(word):
                self.error(f"unrecognized arguments: {word}{self._nearest(word)}")
        several = any(action.nargs == "*" and not action.option_strings for action in self._actions)
        parse = self.parse_known_intermixed_args if several else self.parse_known_args
        found, left = parse(words, namespace)
        if left:
            self.error(f"unrecognized arguments: {' '.join(left)}{self._nearest(left[0])}")
        return found

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As :meth:`argparse.ArgumentParser.parse_known_args`."""
        words = sys.argv[1:] if args is None else args
        return super().parse_known_args([self._as_file(word) for word in words], namespace)

    def _as_file(self, word: str) -> str:
        return f"./{word}" if word.startswith("-") and not self._known(word) and os.path.lexists(word) else word

    def _known(self, word: str) -> bool:
        """Whether a word is an option, or the beginning of one."""
        called = word.partition("=")[0]
        return any(known.startswith(called) for known in self._option_string_actions)

    def _nearest(self, word: str) -> str:
        """A hint to the option that may have been meant."""
        near = difflib.get_close_matches(word.partition("=")[0][:80], self._option_string_actions, n=1)
        return f" (did you mean {near[0]}?)" if near and word.startswith("-") else ""

    def _complete(self) -> None:
        """Where a shell asks how the command line may go on, tell it, and end."""
        if "_ARGCOMPLETE" in os.environ:
            import argcomplete

            argcomplete.autocomplete(self)

    def error(self, message: str) -> NoReturn:
        """Print what is wrong in one line and exit with status 2."""
        self.exit(2, f"{self.prog}: {message} (see --help)\n")


class _Help(argparse.Action):
    """Show the help and end."""

    def __init__(self, option_strings: Any, dest: str, whole: bool = False, **keywords: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, **keywords)
        self.whole = whole

    def __call__(self, parser: Any, *_: Any) -> None:
        """Print it on stdout."""
        print(parser.format_help() if self.whole else parser.format_short_help(), end="")
        parser.exit()
