"""Weights of a learned codec."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidlink.errors import UserError
from vidlink.nets.dvc.network import DVC
from vidlink.nets.weights import make_of, read_kind

if TYPE_CHECKING:
    from pathlib import Path

    import torch


def load_codec_network(path: Path) -> DVC:
    """Make the codec that a weights file describes, with these weights, for use.

    Raises
    ------
    UserError
        Where the file is missing, damaged, no safetensors, or of no learned codec.
    """
    expected = "no codec's; expected a file of vidlink.train --task codec"
    header, stored = read_kind(path, "codec", expected=expected)
    if header.network != "dvc":
        raise UserError(f"weights {path}: {expected} (network {header.network[:80]!r})")
    made: torch.nn.Module = make_of(header, stored, DVC)
    assert isinstance(made, DVC)
    return made.eval().requires_grad_(False)
