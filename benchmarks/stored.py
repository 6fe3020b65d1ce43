"""The results that the documents show: what makes each, where it is shown, and which files and weights it measures."""

from __future__ import annotations

from dataclasses import dataclass

SENDER = (
    "vidlink/sender",
    "vidlink/codec/recipe.py",
    "vidlink/codec/parameters.py",
    "codecs/x264.toml",
    "vidlink/rtp",
    "vidlink/faces",
    "vidlink/scores/objective.py",
)
"""What decides which bits are sent."""  # fmt: skip
RECEIVER = (
    "vidlink/receiver",
    *(f"vidlink/nets/{name}.py" for name in ("joint", "normalize", "precision", "residual", "temporal")),
    *(f"vidlink/recognizers/{name}.py" for name in ("affect", "ask", "crop", "looks", "recognize", "spatial")),
)
"""What decides what is recognized of them. Files, not folders, where other networks and codecs stand beside them."""
COMPARED = tuple(
    f"benchmarks/receivers/{name}-0.safetensors"
    for name in ("hr", "lr-1.5", "lr-2", "lr-3", "lr-4", "mix", "mix-uncoded")
)
"""The receivers that are compared."""
TRAINING = (
    *(
        f"vidlink/training/{name}.py"
        for name in ("affect", "averaged", "batches", "coded", "degrade", "loop", "schedule")
    ),
    *("vidlink/tasks/affect.py", "vidlink/data/apart.py", "vidlink/data/ferplus.py"),
)
"""What decides what a network learns."""
RESTORED_FIRST = (*TRAINING, "vidlink/training/superresolution.py", "vidlink/training/restore.py")
"""The same of a network whose early layers restore first."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """A stored result."""

    name: str
    """What to call it."""
    file: str
    """Its JSON."""
    command: str
    """What makes it."""
    pages: tuple[str, ...]
    """Where it is shown."""
    code: tuple[str, ...]
    """Files and folders that it measures."""
    weights: tuple[str, ...] = ()
    """The shipped weights that it measures."""


RESULTS = (
    Result(
        name="rate-accuracy",
        file="docs/rate_accuracy/figures.json",
        command="python benchmarks/rate_accuracy.py --training-seeds 0,1 --out results/rate_accuracy --json "
        "docs/rate_accuracy/figures.json --pairs 'hr, adaptive against hr, s = 1, every frame, key frame a second' "
        "'hr, adaptive against hr, s = 1' 'hr, adaptive against lr-1.5, s = 1.5' "
        "'hr, s = 1, x264 veryslow against hr, s = 1' 'hr, s = 1, x265 against hr, s = 1' "
        "'hr, s = 1, SVT-AV1 against hr, s = 1' 'mix, s = 2 against hr, s = 2, pixels restored' "
        "'mix, s = 3 against hr, s = 3, pixels restored'",
        pages=("docs/rate_accuracy.md", "docs/figures.md", "README.md"),
        code=(*SENDER, *RECEIVER, *COMPARED),
    ),
    Result(
        name="real-clips",
        file="docs/real_clips.json",
        command="python benchmarks/real_clips.py --training-seeds 0,1 --out results/real_clips --json "
        "docs/real_clips.json",
        pages=("docs/rate_accuracy.md",),
        code=(*SENDER, *RECEIVER, *COMPARED),
    ),
    Result(
        name="own-numbers",
        file="docs/own_numbers.json",
        command="python benchmarks/own_numbers.py --json docs/own_numbers.json",
        pages=("docs/rate_accuracy.md",),
        code=("vidlink/recognizers/affect.py", "vidlink/data/reels.py"),
        weights=("affect",),
    ),
    Result(
        name="label-control",
        file="docs/label_control.json",
        command="python benchmarks/label_control.py --json docs/label_control.json",
        pages=("docs/rate_accuracy.md",),
        code=("vidlink/data/ferplus.py", "vidlink/scores/metrics.py"),
    ),
    Result(
        name="receivers",
        file="docs/receivers.json",
        command="python benchmarks/receivers.py --seeds 0,1 --json docs/receivers.json",
        pages=("docs/rate_accuracy.md",),
        code=("vidlink/nets/residual.py", "vidlink/nets/normalize.py", *TRAINING),
    ),
    Result(
        name="paper-figure",
        file="docs/paper_figure.json",
        command="python benchmarks/paper_figure.py --seeds 0,1 --threads 1 --json docs/paper_figure.json --figure "
        "docs/paper_figure.png",
        pages=("docs/joint_training.md",),
        code=(*SENDER, *RECEIVER, "vidlink/nets/recognition.py", *RESTORED_FIRST),
    ),
    Result(
        name="degradations",
        file="docs/degradations.json",
        command="python benchmarks/degradations.py --seeds 0,1 --batch 32 --threads 1 --json docs/degradations.json",
        pages=("docs/joint_training.md",),
        code=(
            "vidlink/nets/residual.py",
            "vidlink/training/disturb.py",
            *RESTORED_FIRST,
        ),
    ),
    Result(
        name="max-mix",
        file="docs/max_mix.json",
        command="python benchmarks/max_mix.py --seeds 0,1 --batch 64 --threads 1 --json docs/max_mix.json",
        pages=("docs/joint_training.md",),
        code=("vidlink/nets/residual.py", *RESTORED_FIRST),
    ),
    Result(
        name="allocation",
        file="docs/allocation.json",
        command="python benchmarks/allocation.py --clips carphone,Run_1_1,Sit_10_1,Jump_8_1,mixed,scaled --rates "
        "12k,24k,48k --work results/allocation --json docs/allocation.json --figure docs/allocation.png --rungs "
        "docs/allocation_rungs.png",
        pages=("docs/allocation.md",),
        code=SENDER,
    ),
    Result(
        name="allocation-length",
        file="docs/allocation_length.json",
        command="python benchmarks/allocation_length.py --json docs/allocation_length.json",
        pages=("docs/allocation.md",),
        code=SENDER,
    ),
    Result(
        name="bits-over-time",
        file="docs/bits_over_time.json",
        command="python benchmarks/bits_over_time.py --clips 5 --rates 18k --buffers 1,2 "
        "--json docs/bits_over_time.json",
        pages=("docs/allocation.md",),
        code=(*SENDER, *RECEIVER),
        weights=("affect",),
    ),
    Result(
        name="levers",
        file="docs/levers.json",
        command="python benchmarks/levers.py --levers picture,no_psy --json docs/levers.json --figure docs/levers.png",
        pages=("docs/allocation.md",),
        code=(*SENDER, *RECEIVER),
        weights=("affect",),
    ),
    Result(
        name="other-levers",
        file="docs/other_levers.json",
        command="python benchmarks/levers.py --levers task,veryslow,gblur,nlmeans --reels 4 --rates 12k,18k --no-clips "
        "--json docs/other_levers.json",
        pages=("docs/allocation.md",),
        code=(*SENDER, *RECEIVER),
        weights=("affect",),
    ),
    Result(
        name="objectives",
        file="docs/objectives.json",
        command="python benchmarks/objectives.py --json docs/objectives.json --figure docs/objectives.png",
        pages=("docs/allocation.md",),
        code=(*SENDER, *RECEIVER),
        weights=("affect",),
    ),
    Result(
        name="regions",
        file="docs/regions.json",
        command="python benchmarks/regions.py --json docs/regions.json",
        pages=("docs/allocation.md",),
        code=(*SENDER, *RECEIVER, "vidlink/scores/interest.py"),
        weights=("affect",),
    ),
    Result(
        name="held-frames",
        file="docs/held_frames.json",
        command="python benchmarks/held_frames.py --json docs/held_frames.json",
        pages=("docs/allocation.md",),
        code=("vidlink/sender/moments.py", "vidlink/recognizers/affect.py", "vidlink/data/reels.py"),
        weights=("affect",),
    ),
    Result(
        name="receiver-time",
        file="docs/receiver_time.json",
        command="python benchmarks/receiver_time.py --clips 5 --seconds 8 --json docs/receiver_time.json",
        pages=("docs/receiver.md",),
        code=(*SENDER, *RECEIVER),
        weights=("affect", "affect-temporal"),
    ),
    Result(
        name="loss-resilience",
        file="docs/loss_resilience.json",
        command="python benchmarks/loss_resilience.py --json docs/loss_resilience.json --figure "
        "docs/loss_resilience.png",
        pages=("docs/loss_resilience.md", "docs/channel.md", "docs/figures.md"),
        code=(*SENDER, "vidlink/receiver", "vidlink/channel"),
    ),
    Result(
        name="traces",
        file="docs/traces.json",
        command="python benchmarks/traces.py --json docs/traces.json",
        pages=("docs/channel.md",),
        code=("vidlink/link", "vidlink/channel", "vidlink/rtp", "codecs/x264.toml"),
    ),
    Result(
        name="channel-speed",
        file="docs/channel_speed.json",
        command="python benchmarks/channel_speed.py --json docs/channel_speed.json",
        pages=("docs/channel.md", "docs/figures.md"),
        code=("vidlink/channel",),
    ),
    Result(
        name="faces",
        file="docs/faces.json",
        command="python benchmarks/faces.py --json docs/faces.json",
        pages=("docs/faces.md",),
        code=("vidlink/faces",),
    ),
    Result(
        name="super-resolution",
        file="docs/super_resolution.json",
        command="python benchmarks/super_resolution.py --seeds 0 --threads 1 --json docs/super_resolution.json",
        pages=("docs/super_resolution.md",),
        code=("vidlink/nets/srcnn.py", "vidlink/nets/espcn.py", "vidlink/training/superresolution.py"),
    ),
    Result(
        name="restored-faces",
        file="docs/restored_faces.json",
        command="python benchmarks/restored_faces.py --json docs/restored_faces.json",
        pages=("docs/restorers.md",),
        code=(*SENDER, *RECEIVER),
        weights=("affect", "restorer-temporal"),
    ),
    Result(
        name="receiver-speed",
        file="docs/receiver_speed.json",
        command="python benchmarks/receiver_speed.py --json docs/receiver_speed.json",
        pages=("docs/receiver.md",),
        code=("vidlink/recognizers/recognize.py", "vidlink/recognizers/crop.py", "vidlink/nets/residual.py"),
    ),
    Result(
        name="sweep-scaling",
        file="docs/sweep_scaling.json",
        command="python benchmarks/sweep_scaling.py --json docs/sweep_scaling.json",
        pages=("docs/sweeps.md",),
        code=("vidlink/sweeping/work.py", "vidlink/sweeping/executors.py"),
    ),
    Result(
        name="overhead",
        file="docs/overhead.json",
        command="python benchmarks/overhead.py --json docs/overhead.json",
        pages=("docs/figures.md",),
        code=("vidlink/simulate.py", "vidlink/pipeline.py", "vidlink/video"),
        weights=("affect",),
    ),
    Result(
        name="compute",
        file="docs/compute.json",
        command="python benchmarks/compute.py --json docs/compute.json --figure docs/compute.png",
        pages=("docs/compute.md", "docs/when_it_pays.md"),
        code=(
            "vidlink/nets/classsr.py",
            "vidlink/nets/fsrcnn.py",
            "vidlink/nets/patchwork.py",
            "vidlink/nets/path_restore.py",
            "vidlink/nets/route.py",
            "vidlink/restorers/count.py",
            "vidlink/training/sequences.py",
        ),
        weights=("restorer-classsr", "restorer-path-restore"),
    ),
    Result(
        name="live",
        file="docs/live.json",
        command="python benchmarks/live.py --resume results/live --json docs/live.json --figure docs/live.png",
        pages=("docs/live.md", "docs/figures.md"),
        code=("vidlink/sender", "vidlink/link", "vidlink/channel", *RECEIVER, "benchmarks/receivers/mix-0.safetensors"),
    ),
    Result(
        name="tasks",
        file="docs/tasks.json",
        command="python benchmarks/tasks.py --json docs/tasks.json --figure docs/tasks_surface.png",
        pages=("docs/claims.md", "docs/figures.md"),
        code=("vidlink/nets", "vidlink/training", "vidlink/tasks", "benchmarks/tasks_claims.py"),
    ),
    Result(
        name="roads",
        file="docs/roads.json",
        command="python benchmarks/roads.py --trained results/roads --out results/roads/link --json docs/roads.json "
        "--figure docs/roads.png",
        pages=("docs/pictures.md", "docs/figures.md", "README.md"),
        code=(
            *SENDER,
            "vidlink/receiver",
            *(f"vidlink/recognizers/{name}.py" for name in ("ask", "crop", "roads", "spatial")),
            *(f"vidlink/nets/{name}.py" for name in ("centre", "normalize", "precision", "unet")),
            *(f"vidlink/scores/{name}.py" for name in ("boxes", "detection", "maps", "segmentation")),
        ),
        weights=("road-detection", "road-segmentation"),
    ),
    Result(
        name="learned-codec",
        file="docs/learned_codec.json",
        command="python benchmarks/learned_codec.py --json docs/learned_codec.json --figure docs/learned_codec.png",
        pages=("docs/learned_codec.md", "docs/when_it_pays.md"),
        code=("vidlink/codec", "vidlink/nets/dvc", "codecs", "vidlink/sender/encode.py"),
        weights=("dvc",),
    ),
    Result(
        name="overfit",
        file="docs/overfit.json",
        command="python benchmarks/overfit.py --clips talking street films expressions walking "
        "--json docs/overfit.json --figure docs/overfit.png",
        pages=("docs/restorers.md", "docs/when_it_pays.md", "README.md"),
        code=(*SENDER, "vidlink/nets/classified.py", "vidlink/restorers/sent.py"),
    ),
)
"""All of them; a new one is an entry here."""
