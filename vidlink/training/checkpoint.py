"""Files that a killed run never leaves half-written: checkpoints, weights, cards and logs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import save as to_safetensors

from vidlink.errors import UserError
from vidlink.files.whole import write_whole

if TYPE_CHECKING:
    from torch import Tensor


def save_weights(path: Path, weights: dict[str, Tensor], about: dict[str, str]) -> None:
    """Save weights as safetensors with a few words about them in the header; equal weights give equal files."""
    data = _safetensors(weights, about)
    write_whole(path, lambda partial: partial.write_bytes(data))


def save_results(path: Path, weights: dict[str, Tensor], about: dict[str, str], card: dict[str, Any]) -> None:
    """Save weights, and their card beside them (``.json``): at no moment are there weights with another run's card.

    Both are on the disk before either has its name; the card has it first, so that where there are weights all is done.
    """
    data = _safetensors(weights, about)

    def write(partial: Path) -> None:
        partial.write_bytes(data)
        write_whole(path.with_suffix(".json"), write_card)

    def write_card(partial: Path) -> None:
        partial.write_text(_as_text(card), encoding="utf-8")
        path.unlink(missing_ok=True)  # weights of before; the checkpoint holds the new ones

    write_whole(path, write)


def _safetensors(weights: dict[str, Tensor], about: dict[str, str]) -> bytes:
    data = to_safetensors({name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}, about)
    # The library writes the words in an order that differs from process to process.
    size = int.from_bytes(data[:8], "little")
    header = json.dumps(json.loads(data[8 : 8 + size]), sort_keys=True, separators=(",", ":")).encode()
    header = header.ljust(-(-len(header) // 8) * 8)
    return len(header).to_bytes(8, "little") + header + data[8 + size :]


def save_card(path: Path, card: dict[str, Any]) -> None:
    """Save a card (how weights came about) as JSON."""
    write_whole(path, lambda partial: partial.write_text(_as_text(card), encoding="utf-8"))


def _as_text(card: dict[str, Any]) -> str:
    return json.dumps(card, indent=2) + "\n"


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Save the state of a run: tensors, numbers, strings and containers of them."""
    write_whole(path, lambda partial: torch.save(state, partial))


def load_checkpoint(path: Path, settings: dict[str, Any]) -> dict[str, Any] | None:
    """Load the state of a run that was cut short; None where there is none.

    Raises
    ------
    UserError
        Where the file is damaged, or belongs to a run with other settings.
    """
    if not path.exists():
        return None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        found = state["settings"]
    except Exception as error:
        # PyTorch's own message advises to load without the check that keeps code from running: it is not passed on.
        raise UserError(f"{path}: not a checkpoint, or damaged; remove it to start afresh") from error
    differing = sorted(name for name in settings.keys() | found.keys() if settings.get(name) != found.get(name))
    if found.keys() != settings.keys() or "done" not in state:
        raise UserError(f"{path}: of another version of vidlink; remove it to start afresh, or go on with that version")
    if differing:
        name = differing[0]
        raise UserError(
            f"{path}: belongs to a run with {name} = {found.get(name)!r}, not {settings.get(name)!r}; "
            "repeat that run's settings, or remove the checkpoint to start afresh"
        )
    return state
