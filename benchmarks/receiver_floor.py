"""The least time that a network can take on a device, for ``benchmarks/receiver_speed.py``.

It is the sum over layers of the larger of multiply-adds at the rate of a large matrix product, and bytes of input,
output and weights at the rate of a large copy; both rates are measured first. Element-wise layers count as part of the
one before.
"""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from vidlink.recognizers.recognize import Context

if TYPE_CHECKING:
    from collections.abc import Callable

    from vidlink.recognizers.affect import Affect


def floor(recognizer: Affect, turns: int) -> tuple[float, float]:
    """The least time that the network can take for a batch, and the time that it takes, in seconds."""
    device, wants = recognizer.device, recognizer.wants
    count = 64 if device.type == "cpu" else 2048
    pictures = torch.rand(count, *wants.shape, device=device)
    context = Context.pristine(count)
    layers = traced_layers(recognizer, pictures, context)
    multiply_adds_per_s, bytes_per_s = rates(device, recognizer.half)
    width = 2 if recognizer.half else 4
    least_s = sum(max(work / multiply_adds_per_s, width * values / bytes_per_s) for work, values in layers)

    def ask() -> None:
        with torch.inference_mode():
            recognizer(pictures, context)
        wait_for(device)

    ask()
    return least_s, statistics.median(seconds_of(ask) for _ in range(3 * turns))


def traced_layers(recognizer: Affect, pictures: torch.Tensor, context: Context) -> list[tuple[float, float]]:
    """For each convolution and matrix product of the network its multiply-adds, and the values it reads and writes."""
    layers: list[tuple[float, float]] = []

    def note(layer: nn.Module, given: tuple[torch.Tensor, ...], gives: torch.Tensor) -> None:
        weight = layer.get_parameter("weight")
        places = gives.numel() / weight.shape[0]
        layers.append((weight.numel() * places, float(weight.numel() + given[0].numel() + gives.numel())))

    kinds = (nn.Conv2d, nn.Linear)
    hooks = [each.register_forward_hook(note) for each in recognizer.network.modules() if isinstance(each, kinds)]
    with torch.inference_mode():
        recognizer(pictures, context)
    for hook in hooks:
        hook.remove()
    return layers


def rates(device: torch.device, half: bool) -> tuple[float, float]:
    """Multiply-adds a second of a large matrix product, and bytes a second (read and written) of a large copy."""
    side, values = (2048, 1 << 24) if device.type == "cpu" else (8192, 1 << 29)
    kind = torch.bfloat16 if half else torch.float32
    one, other = (torch.rand(side, side, device=device).to(kind) for _ in range(2))
    source = torch.zeros(values, dtype=torch.float32, device=device)
    target = torch.empty_like(source)

    def best(work: Callable[[], Any]) -> float:
        def whole() -> None:
            work()
            wait_for(device)

        whole()
        return min(seconds_of(whole) for _ in range(8))

    return side**3 / best(lambda: one @ other), 8 * values / best(lambda: target.copy_(source))


def wait_for(device: torch.device) -> None:
    """Wait until the device has done what it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def seconds_of(work: Callable[[], Any]) -> float:
    """Wall time in seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
