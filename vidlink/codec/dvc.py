"""The learned codec as a codec of this project: segments to units and back (:mod:`vidlink.nets.dvc`).

A unit begins with three bytes: what it is (two bits: 0 an intra picture, 1 a predicted one, 2 a predicted one whose
motion is told block by block from that of its neighbours) with its quality in halves above 20 (six bits), and a CRC-16
over that byte and the rest. What follows is H.265 in an intra picture (:mod:`vidlink.codec.intra`), and one stream of a
range coder in a predicted one: hyperprior and latents of the motion, then those of the residual.

References are whole pictures of 8 bits, so that what the two ends compute a little differently is rounded away.
A unit that is damaged or cut gives no picture; the next one is predicted from the last picture there is.
"""

from __future__ import annotations

from binascii import crc_hqx
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
import torch
from torch.nn import functional

from vidlink.codec.intra import decode_intra, encode_intra
from vidlink.codec.neighbours import from_neighbours, to_neighbours
from vidlink.codec.range_coding import Damaged, Reader, Writer, bits_of, cheapest, library
from vidlink.errors import UserError
from vidlink.nets.dvc.fixed import FixedPrior
from vidlink.nets.dvc.hyperprior import BEST, MOST, WORST
from vidlink.nets.dvc.network import STRIDE, lagrangian, quantizer_step
from vidlink.nets.dvc.weights import load_codec_network

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from vidlink.nets.dvc.hyperprior import Hyperprior
    from vidlink.nets.dvc.network import Planes

INTRA, PREDICTED, FROM_NEIGHBOURS = 0, 1, 2
"""What a unit is."""
COARSEST = round(2 * (WORST - BEST))
"""The largest quality in halves."""
HEAD = 3
"""Bytes before what is coded."""
OFFSET = 0.2
"""Of the rounding of motion, see :func:`~vidlink.nets.dvc.hyperprior.rounded`."""
WORTH = 0.4 * float(lagrangian(torch.zeros(())) / quantizer_step(torch.zeros(())) ** 2)
"""Squared error, in steps of the quantizer, that a bit of the residual is worth, the same at each quality: less than
for a picture by itself, because the next ones are predicted from it."""
INTRA_FINER = 6
"""The first picture, from which all others are predicted, has a quantization parameter that is smaller by so much."""
COARSER = (0, 6, 3, 6)
"""Halves by which the quality of predicted pictures is coarser, in turn: one of four is finer, for those after it."""
SHIPPED = Path(__file__).parents[1] / "weights" / "dvc.safetensors"


class DVCodec:
    """Pictures predicted by networks from the one before, their latents range-coded.

    Parameters
    ----------
    weights
        File of :mod:`vidlink.train` ``--task codec``; empty for those that ship.

    Raises
    ------
    UserError
        The library for range coding is missing, or the weights are missing or damaged.
    """

    intra = False

    def __init__(self, weights: str = "") -> None:
        library()
        self.network = load_codec_network(Path(weights) if weights else SHIPPED)
        self._flows = _Coder(self.network.flow_prior)
        self._rests = _Coder(self.network.residual_prior)

    @torch.inference_mode()
    def encode(self, pictures: Sequence[av.VideoFrame], quality: float) -> list[bytes]:
        """Code a segment: an intra picture, then predicted ones. Quality is from 20 to 50, in halves."""
        level = min(max(round(2 * (quality - BEST)), 0), COARSEST)
        units: list[bytes] = []
        reference: Planes | None = None
        for number, picture in enumerate(pictures):
            if reference is None:
                intra = encode_intra(picture, round(BEST + level / 2) - INTRA_FINER)
                units.append(_closed(INTRA, level, intra))
                decoded = decode_intra(intra)
                if decoded is None:
                    raise UserError(f"intra picture of {picture.width}x{picture.height} cannot be decoded")
                reference = _planes(decoded)
                continue
            own = min(level + COARSER[number % len(COARSER)], COARSEST)
            kind, data, reference = self._encode_predicted(_planes(picture), reference, own)
            units.append(_closed(kind, own, data))
        return units

    @torch.inference_mode()
    def decode(self, units: Mapping[int, bytes]) -> dict[int, av.VideoFrame]:
        """Decode what arrived; units that are damaged, or predicted from nothing, give no picture."""
        pictures: dict[int, av.VideoFrame] = {}
        reference: Planes | None = None
        size = (0, 0)
        for frame, unit in sorted(units.items()):
            opened = _opened(unit)
            if opened is None:
                continue
            kind, level, data = opened
            if kind == INTRA:
                picture = decode_intra(data)
                if picture is None:
                    continue
                reference, size = _planes(picture), (picture.width, picture.height)
            elif reference is None:
                continue
            else:
                try:
                    reference = self._decode_predicted(kind, data, reference, level)
                except Damaged:
                    continue
                picture = _picture(reference, *size)
            pictures[frame] = picture
        return pictures

    def _encode_predicted(self, current: Planes, reference: Planes, level: int) -> tuple[int, bytes, Planes]:
        quality, network, writer = _as_tensor(level), self.network, Writer()
        motion = self._flows.code(network.flow_latents(current, reference, quality), level)
        flow, kind = motion.values, PREDICTED
        differing = self._told(flow, to_neighbours)
        if differing.abs().max() <= MOST:
            told = self._flows.code(differing, level)
            motion, kind = (told, FROM_NEIGHBOURS) if told.bits < motion.bits else (motion, kind)
        predicted = network.prediction(flow, reference, quality)
        rest = self._rests.code(network.residual_latents(current, predicted, quality), level, worth=WORTH)
        for coded in (motion, rest):
            for values, tables in coded.parts:
                writer.write(values, tables)
        return kind, writer.bytes(), _whole(network.reconstruct(rest.values, predicted, quality))

    def _decode_predicted(self, kind: int, data: bytes, reference: Planes, level: int) -> Planes:
        quality, network, reader = _as_tensor(level), self.network, Reader(data)
        height, width = reference[0].shape[-2:]
        flow = self._flows.read(reader, (height // 16, width // 16), level)
        if kind == FROM_NEIGHBOURS:
            flow = self._told(flow, from_neighbours)
        predicted = network.prediction(flow, reference, quality)
        rest = self._rests.read(reader, (height // 8, width // 8), level)
        return _whole(network.reconstruct(rest, predicted, quality))

    def _told(self, flow: Tensor, how: Callable[[NDArray[np.int64]], NDArray[np.int64]]) -> Tensor:
        """Motion latents with the mean motion of each block told another way."""
        told = flow.clone()
        means = slice(None, None, self.network.flows.kept)
        told[0, means] = torch.from_numpy(how(_numbers(flow[0, means]))).float()
        return told


@dataclass(frozen=True, kw_only=True)
class _Coded:
    """One kind of latents, ready to be written."""

    values: Tensor
    """What is decoded, shape (1, channels, h, w)."""
    parts: list[tuple[NDArray[np.int64], NDArray[np.int64]]]
    """Numbers and those of their tables: the hyperprior's own, then slice after slice."""

    @property
    def bits(self) -> float:
        """What they take, about."""
        return sum(bits_of(*part) for part in self.parts)


class _Coder:
    """One kind of latents, written and read slice after slice."""

    def __init__(self, prior: Hyperprior) -> None:
        self._prior, self._fixed = prior, FixedPrior(prior)
        self._shrinks = 2 ** len(prior.decode)

    def code(self, latents: Tensor, level: int, *, worth: float = 0.0) -> _Coded:
        """Round latents, shape (1, channels, h, w): by what they take where a bit has a worth, else by a dead zone."""
        own = self._prior.encode(latents.abs().clamp(max=32)).round().clamp(-MOST, MOST)[0]
        parts = [(_numbers(own), self._own_tables(own.shape[1:]))]
        values = (latents.sign() * (latents.abs() + OFFSET).floor()).clamp(-MOST, MOST)
        features = self._fixed.features(own)
        start = 0
        for part, count in enumerate(self._fixed.slices):
            tables = self._fixed.tables_of(features, values[0], part, BEST + level / 2)
            here = slice(start, start + count)
            if worth:
                values[0, here] = torch.from_numpy(cheapest(latents[0, here].numpy(), tables, worth)).float()
            parts.append((_numbers(values[0, here]), tables))
            start += count
        return _Coded(values=values, parts=parts)

    def read(self, reader: Reader, size: tuple[int, int], level: int) -> Tensor:
        """Latents of so many rows and columns, shape (1, channels, h, w)."""
        small = (size[0] // self._shrinks, size[1] // self._shrinks)
        own = torch.from_numpy(reader.read(self._own_tables(small))).float()
        features = self._fixed.features(own)
        values = torch.zeros(sum(self._fixed.slices), *size)
        start = 0
        for part, count in enumerate(self._fixed.slices):
            tables = self._fixed.tables_of(features, values, part, BEST + level / 2)
            values[start : start + count] = torch.from_numpy(reader.read(tables)).float()
            start += count
        return values[None]

    def _own_tables(self, size: tuple[int, ...]) -> np.ndarray:
        return np.broadcast_to(self._fixed.own_tables[:, None, None], (self._fixed.own, *size))


def _closed(kind: int, level: int, data: bytes) -> bytes:
    first = bytes([kind << 6 | level])
    return first + crc_hqx(first + data, 0xFFFF).to_bytes(2) + data


def _opened(unit: bytes) -> tuple[int, int, bytes] | None:
    """What a unit is, its quality and what is coded; None where it is damaged."""
    if len(unit) < HEAD or crc_hqx(unit[:1] + unit[HEAD:], 0xFFFF) != int.from_bytes(unit[1:HEAD]):
        return None
    kind, level = unit[0] >> 6, unit[0] & 63
    return (kind, level, unit[HEAD:]) if kind <= FROM_NEIGHBOURS and level <= COARSEST else None


def _as_tensor(level: int) -> Tensor:
    return torch.tensor([BEST + level / 2])


def _numbers(values: Tensor) -> np.ndarray:
    return values.numpy().astype(np.int64)


def _planes(picture: av.VideoFrame) -> Planes:
    """Luma and chroma within [0, 1], their edges repeated until the sides are multiples of the stride."""
    down, right = -picture.height % STRIDE, -picture.width % STRIDE
    rows = [
        np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
        for plane in picture.planes
    ]
    luma = functional.pad(torch.from_numpy(rows[0].copy())[None, None].float(), (0, right, 0, down), mode="replicate")
    both = torch.from_numpy(np.stack(rows[1:]))[None].float()
    wide, tall = (picture.width + right) // 2 - both.shape[-1], (picture.height + down) // 2 - both.shape[-2]
    return luma / 255, functional.pad(both, (0, wide, 0, tall), mode="replicate") / 255


def _whole(planes: Planes) -> Planes:
    """Rounded to 8 bits."""
    luma, chroma = ((each * 255).round().clamp(0, 255) / 255 for each in planes)
    return luma, chroma


def _picture(planes: Planes, width: int, height: int) -> av.VideoFrame:
    """The picture of so many pixels in the top left corner."""
    made = av.VideoFrame(width, height, "yuv420p")
    for plane, values in zip(made.planes, [planes[0][0, 0], *planes[1][0]], strict=True):
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
        rows[:, : plane.width] = (values * 255).round().byte().numpy()[: plane.height, : plane.width]
    return made
