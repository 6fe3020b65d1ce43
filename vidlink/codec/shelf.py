"""The two shelves: a codec is a TOML file, a channel is a TOML file.

From a checkout the shelves are the folders ``codecs`` and ``channels`` beside the package; in a wheel they ship
inside it. :func:`shelf` is the one place that knows. A user's own file is given by its path.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from pydantic import BaseModel, ValidationError

from vidlink.codec.recipe import Codec
from vidlink.errors import UserError, unknown
from vidlink.settings import CODECS_OF
from vidlink.units import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vidlink.channel.profile import ChannelProfile


TRACE_QUEUE_BYTES = 150_000
"""What waits before a recorded link by itself, as before that of ``lte-drive``."""


_QUOTES = "in double quotes a backslash begins an escape: write a path in single quotes, 'C:\\Users\\me'"


def shelf(kind: Literal["codecs", "channels"]) -> Path:
    """Folder of the shipped profiles: beside the package in a checkout, inside it in a wheel."""
    package = Path(__file__).parents[1]
    shipped = package / "shelves" / kind
    return shipped if shipped.is_dir() else package.parent / kind


def names(kind: Literal["codecs", "channels"]) -> list[str]:
    """Names of the shipped profiles, sorted."""
    return sorted(path.stem for path in shelf(kind).glob("*.toml"))


def load_codec(name: str) -> Codec:
    """Load a codec recipe from the shelf by name, or from a TOML file by path.

    Raises
    ------
    UserError
        Unknown name, unreadable or malformed file, or a key that is wrong: the message names the file, the key,
        what was found and what is allowed.
    """
    path = find("codecs", CODECS_OF.get(name.lower(), name))
    codec: Codec = _validated(Codec, path)
    return codec.model_copy(update={"name": path.stem})


def load_channel(name: str, loss: float | None = None) -> ChannelProfile:
    """Load a channel from the shelf by name, or from a file by path: TOML, or a recorded trace.

    A trace is known by its content, whatever it is called; see :func:`vidlink.channel.trace.format_of`. As a link it
    has a queue of 150,000 bytes and loses nothing but what overflows that.

    Parameters
    ----------
    name
        Of the channel, or path of its file.
    loss
        Share of packets that get lost independently of each other, in place of what the channel loses.

    Raises
    ------
    UserError
        As :func:`load_codec`.
    """
    from vidlink.channel.losses import Bernoulli
    from vidlink.channel.profile import ChannelProfile

    path = find("channels", name)
    profile: ChannelProfile = _recorded(path) or _validated(ChannelProfile, path)
    return (
        profile if loss is None else profile.model_copy(update={"loss": Bernoulli(model="bernoulli", probability=loss)})
    )


def _recorded(path: Path) -> ChannelProfile | None:
    """The channel that a trace is by itself; None where the file is none."""
    from vidlink.channel.profile import ChannelProfile, Trace
    from vidlink.channel.trace import FORMATS, format_of

    try:
        found = format_of(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError):
        found = None
    if found is None and path.suffix != ".toml":
        raise UserError(f"channel file {path}: neither TOML by its name, nor a trace: {FORMATS}")
    if found is None:
        return None
    trace = Trace.model_validate({"path": path.name, "format": found}, context={"folder": path.parent})
    return ChannelProfile(description=f"recorded link {path.name}", trace=trace, queue_bytes=TRACE_QUEUE_BYTES)


def named_paths(value: object) -> Iterator[Path]:
    """Every path in a profile, or in nested plain values."""
    if isinstance(value, Path):
        yield value
    elif isinstance(value, BaseModel):
        yield from named_paths(value.model_dump())
    elif isinstance(value, dict | list | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            yield from named_paths(part)


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file; a byte-order mark before it is no part of it.

    Raises
    ------
    UserError
        It cannot be read, or is no TOML: the message says where.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not valid TOML: not in UTF-8 ({error})") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        read = tomllib.loads(text)
    except RecursionError:
        raise UserError(f"{path}: not valid TOML: nested too deeply") from None
    except ValueError as error:  # numbers of thousands of digits, too
        hint = ""
        escapes = "\\" in text and any(word in str(error) for word in ("hex value", "escape", "Unterminated"))
        if escapes or re.search(r'"[A-Za-z]:\\', text):
            hint = f"; {_QUOTES}"
        raise UserError(f"{path}: not valid TOML: {_cut(str(error), 400)}{hint}") from error
    if found := re.search(r'"[A-Za-z]:\\[btnfr][^"\n]*"', text):  # valid, but with a tab or a line's end in it
        raise UserError(f"{path}: {_cut(found[0])}: {_QUOTES}")
    return read


def is_file_name(name: str) -> bool:
    """Whether a profile is given by the path of its file, not by its name on the shelf, which has no dot."""
    return "." in name or "/" in name


def find(kind: Literal["codecs", "channels"], name: str) -> Path:
    """The file of a profile; raises UserError where there is none."""
    if is_file_name(name):
        path = Path(name)
        try:
            found = path.is_file()
        except OSError as error:  # a name too long
            raise UserError(f"{kind[:-1]} file {name[:80]!r}: {error.strerror}") from error
        if not found:
            raise UserError(f"{kind[:-1]} file {name!r} does not exist")
        return path
    if name not in names(kind):
        raise unknown(kind[:-1], name, names(kind))
    return shelf(kind) / f"{name}.toml"


def _validated(model: type[BaseModel], path: Path) -> Any:
    raw = read_toml(path)
    try:
        return model.model_validate(raw, context={"folder": path.parent})
    except ValidationError as error:
        raise UserError(_one_line(path, error, model)) from error


def _one_line(path: Path, error: ValidationError, model: type[BaseModel]) -> str:
    first = error.errors()[0]
    place, known = _place(model, first["loc"])
    key = ".".join(map(_cut, place)) or "(whole file)"
    if first["type"] == "extra_forbidden":
        hint = str(unknown("key", place[-1], known)).partition(": ")[2]
        return f"{path}: unknown key {key!r}: {hint}"
    if first["type"] == "missing":
        return f"{path}: key {key!r} is missing"
    message = _cut(first["msg"].removeprefix("Value error, "), 400)
    found = first["input"]
    what = "" if isinstance(found, dict) else f", found {shown(found)}"
    return f"{path}: key {key!r}: {message[:1].lower()}{message[1:]}{what}"


def _cut(text: str, most: int = 80) -> str:
    """So much of what somebody wrote as fits into a message: its start, and its end."""
    return text if len(text) <= most else f"{text[: most // 2]} ... {text[-most // 2 :]}"


def _place(model: type[BaseModel], loc: Sequence[int | str]) -> tuple[list[str], list[str]]:
    """Where in the file an error is, and the keys of the table that it is in.

    Between the keys of the file pydantic names which kind of a table it took one for (``model = "bernoulli"``); that is
    no key.
    """
    place, tables = [], [model]
    for number, part in enumerate(loc):
        inner = [table.model_fields[part].annotation for table in tables if part in table.model_fields]
        last = number == len(loc) - 1
        if inner or last or isinstance(part, int):
            place.append(str(part))
        if inner and not last:
            tables = [found for each in inner for found in _models_in(each)]
        elif not last:
            of_kind = [table for table in tables if any(part == field.default or part in get_args(field.annotation)
                                                        for field in table.model_fields.values())]  # fmt: skip
            tables = of_kind or tables
    return place, sorted({name for table in tables for name in table.model_fields})


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    """Every model that an annotation names, however deep."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in get_args(annotation) for found in _models_in(part)]
