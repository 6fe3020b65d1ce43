"""Recognizers that are files: ``net.onnx``, ``net.pt`` (TorchScript), ``my.py:Class``."""

from __future__ import annotations

import importlib.util
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlink.errors import UserError
from vidlink.plugins import RAISED, reason

if TYPE_CHECKING:
    from collections.abc import Callable

NETWORKS = (".onnx", ".pt", ".pth", ".ts", ".torchscript")
"""How names of files begin to be networks; all but the first are TorchScript."""


def is_file(name: str) -> bool:
    """Whether a recognizer's name is that of a file.

    Examples
    --------
    >>> [is_file(name) for name in ("net.onnx", "my/net.pt", "my.py:Class", "package.module:Class", "affect")]
    [True, True, True, False, False]
    """
    return Path(name).suffix.lower() in NETWORKS or bool(_python(name))


def file_of(name: str) -> Path:
    """The file that a recognizer's name is.

    Raises
    ------
    UserError
        There is none.
    """
    path = Path(_python(name) or name).expanduser()
    if not path.is_file():
        what = "is a folder, expected a file" if path.is_dir() else "no such file"
        raise UserError(f"--recognizer {name}: {path}: {what}")
    return path


def find_in_file(name: str) -> Callable[..., Any]:
    """What makes a recognizer of a file: it takes the same arguments as one that is found by name.

    Raises
    ------
    UserError
        There is no such file, running it fails, or it has no such class.
    """
    path = file_of(name)
    if _python(name):
        return _class_in(path, name.rpartition(":")[2], name)
    if path.suffix.lower() == ".onnx":
        from vidlink.recognizers.onnx_file import from_onnx

        return partial(from_onnx, path)
    from vidlink.recognizers.script_file import from_torchscript

    return partial(from_torchscript, path)


def _python(name: str) -> str:
    """The file of ``my.py:Class``; empty where a name is anything else."""
    file, colon, attribute = name.rpartition(":")
    return file if colon and attribute and Path(file).suffix == ".py" else ""


def _class_in(path: Path, attribute: str, name: str) -> Callable[..., Any]:
    """A class of a file of Python; what lies beside the file can be imported by it."""
    what = f"recognizer {name!r}"
    module = sys.modules.get(path.stem)
    if module is None or Path(getattr(module, "__file__", None) or "").resolve() != path.resolve():
        spec = importlib.util.spec_from_file_location(path.stem, path)
        if spec is None or spec.loader is None:
            raise UserError(f"{what}: {path} cannot be imported")
        module = importlib.util.module_from_spec(spec)
        folder = str(path.resolve().parent)
        before = sys.modules.get(path.stem)
        sys.modules[path.stem] = module
        if folder not in sys.path:
            sys.path.append(folder)
        try:
            spec.loader.exec_module(module)
        except RAISED as error:  # it is theirs to mend
            sys.modules.pop(path.stem)
            raise UserError(f"{what}: running {path} failed: {reason(error)}") from error
        finally:
            if before is not None:
                sys.modules[path.stem] = before
    found = getattr(module, attribute, None)
    if not callable(found):
        raise UserError(f"{what}: {path} has no class {attribute}")
    return found
