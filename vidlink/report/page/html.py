r"""Pages: templates with everything escaped, one file each, that load nothing and run only what is ours.

What a page shows (names of files, labels, messages) is data. It is escaped wherever it stands, numbers for the scripts
travel as JSON in which ``<``, ``>``, ``&`` and ``'`` are written as ``\u003c`` and so on, and the page's
Content-Security-Policy allows only the one script and the one style sheet whose hashes it names.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"


def render(name: str, *, scripted: str = "", **content: Any) -> str:
    """Make a page.

    Parameters
    ----------
    name
        Of the template, such as ``run``: ``NAME.html`` with the script ``NAME.js``.
    scripted
        Name of another template whose script it has.
    content
        What it shows. Text is escaped, :class:`markupsafe.Markup` is not.
    """
    style, script = _text("page.css"), _text(f"{scripted or name}.js")
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_digest(script)}'",
            f"style-src '{_digest(style)}'",
            "img-src data:",
            "media-src data: blob: 'self' file:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    shared = {"policy": Markup(policy), "style": Markup(style), "script": Markup(script)}
    return _environment().get_template(f"{name}.html").render(**shared, **content)


def data_uri(kind: str, content: bytes) -> str:
    """A file as an address that holds it, for ``src``."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


@cache
def _text(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
