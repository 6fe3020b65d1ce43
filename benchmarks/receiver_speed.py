"""How fast the receiver is, beside the loop that one would write first, in one run and on the same decoded frames.

A gallery of twelve drawn faces (192x144, 25 frames a second) is coded by x264 at half its size and decoded. Both sides
take the decoded frames and give valence and arousal of every face in every frame, with the same weights:

naive
    One frame after another: bring it to HR size, and for each face cut it out, resize it, and ask the network, in
    float32, a batch of one.
vidlink
    What ``vidlink.simulate`` does: batches over faces and frames, channels last, bfloat16 where the device has it.

Figures
-------
cpu_speedup
    Wall time of the naive loop over that of vidlink, on the CPU's cores. Target: at least 4 on two of them.
gpu_speedup
    The same on a GPU; null where there is none. Target: at least 20.
gpu_images_per_s
    Faces a second from decoded frames to predictions on the GPU; null where there is none.
cpu_images_per_s
    The same on the CPU.
cpu_floor_share, gpu_floor_share
    Share of the floor that the network itself reaches, pictures being on the device: the least time that its arithmetic
    and its memory traffic can take (see ``receiver_floor.py``), over the time that it takes.

Each time is the median of turns in which the two sides alternate. The ratio is good for little while other programs
want the processor: the table says how much of it was to be had, and ``quiet`` in the JSON file is then false.
"""

from __future__ import annotations

import os
import statistics
import time
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, cast

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before PyTorch is loaded: threads that wait leave the core

import av
import bench
import cv2
import numpy as np
import torch
from receiver_floor import floor, seconds_of

from vidlink.command import run_command
from vidlink.data.faces import load_faces
from vidlink.data.reels import SIDE, make_reel
from vidlink.faces.tracks import Box
from vidlink.pipeline import available_cores
from vidlink.recognizers.affect import Affect
from vidlink.recognizers.recognize import Context, recognize
from vidlink.video.pictures import Upsampler, as_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vidlink.recognizers.recognizer import Recognizer

SCALE = 2
QUALITY = 30
TARGETS = {"cpu_speedup": ">= 4", "gpu_speedup": ">= 20"}
SETTLED = 0.9
"""Share of the processor that a quiet machine leaves to this program."""

Boxes = list[Box]
Size = tuple[int, int]


def main() -> None:
    """Measure, print the table, and write the JSON."""
    parser = bench.flags(__doc__, quick="fewer frames and turns")
    parser.add_argument("--weights", type=Path, metavar="FILE.safetensors", help="other weights than those that ship")
    arguments = parser.parse_args()
    seconds, turns = (2.0, 5) if arguments.quick else (6.0, 9)
    torch.set_num_threads(available_cores())
    cv2.setNumThreads(available_cores())
    frames, boxes, size = decoded_gallery(seconds)
    free = free_share()
    figures: dict[str, float | None] = {"gpu_speedup": None, "gpu_images_per_s": None, "gpu_floor_share": None}
    details = {}
    for device in ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]:
        recognizer = Affect(device=device, weights=arguments.weights)
        name = "gpu" if device == "cuda" else "cpu"
        result = compare(recognizer, frames, boxes, size, turns)
        figures[f"{name}_speedup"] = result["naive_s"] / result["vidlink_s"]
        figures[f"{name}_images_per_s"] = len(frames) * len(boxes) / result["vidlink_s"]
        floor_s, took_s = floor(recognizer, turns)
        figures[f"{name}_floor_share"] = floor_s / took_s
        details[name] = result | {"network_s": took_s, "floor_s": floor_s}
    free = min(free, free_share())
    print(f"{len(frames)} frames of {len(boxes)} faces, {available_cores()} cores")
    for name, result in details.items():
        print(
            f"{name}: naive {result['naive_s']:.3f} s ({result['naive_processor_s']:.3f} s of processor time), "
            f"vidlink {result['vidlink_s']:.3f} s ({result['vidlink_processor_s']:.3f} s); "
            f"answers differ by at most {result['largest_difference']:.4f}"
        )
    bench.report(figures, arguments.json, TARGETS, quiet=free >= SETTLED, free=free, details=details)
    if free < SETTLED:
        print(f"UNDER LOAD: only {free:.0%} of the processor was to be had; measure again on a quiet machine")


def decoded_gallery(seconds: float) -> tuple[list[av.VideoFrame], Boxes, Size]:
    """LR frames as they leave the decoder, the faces' boxes at HR, and width and height of HR."""
    reel = make_reel(load_faces("generated:200", "valid"), seconds=seconds)
    height, width = reel.frame(0).shape
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width // SCALE, height // SCALE, "yuv420p"
    encoder.framerate, encoder.time_base = Fraction(25), Fraction(1, 25)
    encoder.options = {"preset": "medium", "crf": str(QUALITY)}
    packets = []
    for index in range(len(reel)):
        small = cv2.resize(reel.frame(index), (encoder.width, encoder.height), interpolation=cv2.INTER_AREA)
        frame = av.VideoFrame.from_ndarray(small.astype(np.uint8), format="gray").reformat(format="yuv420p")
        frame.pts = index
        packets += encoder.encode(frame)
    decoder = av.CodecContext.create("h264", "r")
    frames = [frame for packet in [*packets, *encoder.encode(None), None] for frame in decoder.decode(packet)]
    boxes = [Box(x, y, SIDE, SIDE) for y in range(0, height, SIDE) for x in range(0, width, SIDE)]
    return frames, boxes, (width, height)


def naive(recognizer: Affect, frames: list[av.VideoFrame], boxes: Boxes, size: Size) -> NDArray[np.float32]:
    """Face by face; the recognizer's network is in float32, channels first. Shape (frames, boxes, 2)."""
    answers = np.empty((len(frames), len(boxes), 2), np.float32)
    wants = recognizer.wants
    scale = torch.tensor([float(SCALE)], device=recognizer.device)
    for row, frame in enumerate(frames):
        large = frame.reformat(width=size[0], height=size[1], interpolation="BICUBIC")
        picture = large.to_ndarray()[: size[1]]  # the luma plane
        for column, box in enumerate(boxes):
            x, y, width, height = map(int, box)
            face = cv2.resize(
                picture[y : y + height, x : x + width], (wants.width, wants.height), interpolation=cv2.INTER_CUBIC
            )
            with torch.no_grad():
                tensor = torch.from_numpy(face).to(recognizer.device).float()[None, None] / 255
                answers[row, column] = recognizer.network(tensor, scale)[0, :2].cpu().numpy()
    return answers


def batched(recognizer: Affect, frames: list[av.VideoFrame], boxes: Boxes, size: Size) -> NDArray[np.float32]:
    """The receiver of ``vidlink.simulate``, from decoded frames on. Shape (frames, boxes, 2)."""
    upsample = Upsampler(*size)
    pictures = [as_array(upsample(frame), recognizer.wants.colour) for frame in frames]
    shown = [picture for picture in pictures for _ in boxes]
    context = Context(
        scale=np.full(len(shown), float(SCALE)),
        quality=np.full(len(shown), float(QUALITY)),
        status=("ok",) * len(shown),
    )
    answers = recognize(cast("Recognizer", recognizer), shown, boxes * len(frames), context)
    return answers.reshape(len(frames), len(boxes), 2)


def compare(
    recognizer: Affect,
    frames: list[av.VideoFrame],
    boxes: Boxes,
    size: Size,
    turns: int,
) -> dict[str, float]:
    """Median wall and processor times of both sides in seconds, and by how much their answers differ at most."""
    plain = Affect(device=recognizer.device, half=False)
    plain.network = plain.network.to(memory_format=torch.contiguous_format)
    plain.network.load_state_dict(recognizer.network.state_dict())
    sides = {
        "naive": lambda: naive(plain, frames, boxes, size),
        "vidlink": lambda: batched(recognizer, frames, boxes, size),
    }
    difference = float(np.abs(sides["naive"]() - sides["vidlink"]()).max())  # warms both up, too
    wall: dict[str, list[float]] = {name: [] for name in sides}
    busy: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(turns):
        for name, side in sides.items():
            start_s = time.process_time()
            wall[name].append(seconds_of(side))
            busy[name].append(time.process_time() - start_s)
    return {
        **{f"{name}_s": statistics.median(each) for name, each in wall.items()},
        **{f"{name}_processor_s": statistics.median(each) for name, each in busy.items()},
        "largest_difference": difference,
    }


def free_share(seconds: float = 0.5) -> float:
    """Share of the cores that this program gets when it wants them all."""
    side = torch.rand(1200, 1200)
    busy = time.process_time()
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        side @ side
    return min(1.0, (time.process_time() - busy) / (time.perf_counter() - start) / available_cores())


if __name__ == "__main__":
    run_command(main)
