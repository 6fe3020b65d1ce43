"""The claims of the literature that ``benchmarks/tasks.py`` tries, as data: what is trained, and what is compared.

A training is a name, the words of ``vidlink train``, and what it begins with. What is compared has the same pictures
and the same number of epochs; those in which a restorer learns to restore first come on top, as in the literature.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Data = Literal["cifar", "camvid-160x120", "camvid-240x180"]
Stage = Literal["first", "restore", "tune"]


@dataclass(frozen=True, kw_only=True)
class Trained:
    """One training."""

    name: str
    """Of its file; the same name on the same data is the same training, whatever claim asks for it."""
    words: str
    """What ``vidlink train`` is told besides."""
    stage: Stage = "tune"
    """Whose number of epochs it has."""
    start: str = ""
    """The training that it begins with; empty for chance."""
    teacher: str = ""
    """The training that teaches it; empty for none."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of a table."""

    title: str
    """What it is."""
    trained: str
    """Name of the training that is scored."""
    scales: tuple[float, ...] = (1.0,)
    """Scale factors that it is scored at; the mean counts."""
    under: str = ""
    """What goes wrong with the pictures, where the training did not meet it."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure: what one row has over another."""

    name: str
    ours: str
    """Title of a row."""
    theirs: str = ""
    """That of another one, whose score is taken off; empty for nothing."""
    score: str = ""
    """Another score than the claim's own."""
    published: str = "not at hand"
    """What the literature says, in words."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A claim: its trainings in order, its table, its figures."""

    name: str
    about: str
    """What is claimed, and by whom."""
    task: str
    data: Data
    score: str
    width: int
    batch: int
    epochs: dict[Stage, int]
    trainings: tuple[Trained, ...]
    rows: tuple[Row, ...]
    figures: tuple[Figure, ...]
    common: str = ""
    """Words of all its trainings."""
    shown: tuple[str, ...] = field(default=())
    """Other scores in the table."""


TUNED = "--optimizer adamw --learning-rate 1e-3"


def _joint() -> Claim:
    both, trainings, rows, figures = "srcnn-915/vgg", [], [], []
    first = Trained(
        name="vgg", words="--network vgg --optimizer adamw --learning-rate 2e-3 --scales 1,2,4,8", stage="first"
    )
    for s in (2, 4, 8):
        tuned = f"--regime lr-{s} --scales {s} {TUNED}"
        trainings += [
            Trained(
                name=f"restored-{s}",
                words=f"--network {both} --regime restore-{s} --scales {s}",
                stage="restore",
                start="vgg",
            ),
            Trained(name=f"retrained-{s}", words=f"--network vgg {tuned}", start="vgg"),
            Trained(name=f"non-joint-{s}", words=f"--network {both} {tuned} --encoder-rate 0", start=f"restored-{s}"),
            Trained(name=f"joint-{s}", words=f"--network {both} {tuned}", start=f"restored-{s}"),
            Trained(name=f"auto-encoder-{s}", words=f"--network {both} {tuned}", start="vgg"),
        ]
        rows += [
            Row(title=f"s = {s}: interpolated", trained="vgg", scales=(s,)),
            Row(title=f"s = {s}: pre-trained", trained=f"restored-{s}", scales=(s,)),
            Row(title=f"s = {s}: non-joint", trained=f"non-joint-{s}", scales=(s,)),
            Row(title=f"s = {s}: retrained", trained=f"retrained-{s}", scales=(s,)),
            Row(title=f"s = {s}: auto-encoder", trained=f"auto-encoder-{s}", scales=(s,)),
            Row(title=f"s = {s}: joint", trained=f"joint-{s}", scales=(s,)),
        ]
        figures.append(Figure(name=f"joint_gain_s{s}", ours=f"s = {s}: joint", theirs=f"s = {s}: retrained"))
    return Claim(
        name="joint_gain",
        about="SRCNN and VGG tuned jointly beat VGG retrained on small pictures, and an auto-encoder in SRCNN's place",
        task="classification",
        data="cifar",
        score="accuracy",
        shown=("psnr",),
        width=16,
        batch=128,
        epochs={"first": 12, "restore": 4, "tune": 5},
        trainings=(first, *trainings),
        rows=(Row(title="full size", trained="vgg"), *rows),
        figures=tuple(figures),
    )


def _denoise() -> Claim:
    noise, both = "--disturb noise:0.1176 --restorer-width 8", "--network denoiser/unet"
    return Claim(
        name="denoise",
        about="a denoiser that learns by recognition and restoration before a segmenter that stays beats one that "
        "restores alone (Liu et al., IJCAI 2018, arXiv 1706.04284); noise of standard deviation 30 of 255",
        task="segmentation",
        data="camvid-160x120",
        score="miou",
        shown=("psnr",),
        width=16,
        batch=8,
        epochs={"first": 40, "restore": 8, "tune": 12},
        common="--scales 1",
        trainings=(
            Trained(name="unet", words="--network unet", stage="first"),
            Trained(name="denoised", words=f"{both} --regime restore {noise}", stage="restore", start="unet"),
            Trained(name="separate", words=f"{both} --regime restore {noise}", start="denoised"),
            Trained(name="single", words=f"{both} --regime through {noise}", start="denoised"),
            Trained(name="hybrid", words=f"{both} --regime hybrid {noise}", start="denoised"),
        ),
        rows=(
            Row(title="clean", trained="unet"),
            Row(title="noisy", trained="unet", under="noise:0.1176"),
            Row(title="separate", trained="separate"),
            Row(title="single loss", trained="single"),
            Row(title="hybrid loss", trained="hybrid"),
        ),
        figures=(
            Figure(name="denoise_miou_gain", ours="hybrid loss", theirs="separate"),
            Figure(name="denoise_psnr_db", ours="hybrid loss", score="psnr"),
            Figure(name="denoise_psnr_gain_db", ours="hybrid loss", theirs="separate", score="psnr"),
        ),
    )


def _dfd() -> Claim:
    trainings = [Trained(name="residual", words="--network residual --scales 1,2,4", stage="first")]
    rows = [Row(title="full size", trained="residual")]
    figures = []
    for side, s, published in ((16, 2, "+1.3 (ResNet-18)"), (8, 4, "+1.4 (ResNet-18)")):
        words = f"--network residual --regime lr-{s} --scales {s}"
        loss = "--loss recognition,distil:10"
        trainings += [
            Trained(name=f"plain-{side}", words=words, stage="first"),
            Trained(name=f"distilled-{side}", words=f"{words} {loss}", stage="first", teacher="residual"),
        ]
        rows += [
            Row(title=f"{side}x{side}: interpolated", trained="residual", scales=(s,)),
            Row(title=f"{side}x{side}: plain", trained=f"plain-{side}", scales=(s,)),
            Row(title=f"{side}x{side}: distilled", trained=f"distilled-{side}", scales=(s,)),
        ]
        ours, theirs = f"{side}x{side}: distilled", f"{side}x{side}: plain"
        figures.append(Figure(name=f"dfd_gain_{side}", ours=ours, theirs=theirs, published=published))
    return Claim(
        name="dfd",
        about="features like those of a network that sees full-size pictures make a network of small ones better "
        "(Zhu et al., ICASSP 2019)",
        task="classification",
        data="cifar",
        score="accuracy",
        width=16,
        batch=256,
        epochs={"first": 28, "restore": 1, "tune": 1},
        trainings=tuple(trainings),
        rows=tuple(rows),
        figures=tuple(figures),
    )


def _weather(name: str, figure: str, disturb: str, restorer: str, about: str) -> Claim:
    """A restorer before a detector, in bad weather: separate, retrained, joint, and with nothing to restore."""
    wrong, both, short = f"--disturb {disturb}", f"--network {restorer}/centre", name.replace("_", "-")
    return Claim(
        name=name,
        about=about,
        task="detection",
        data="camvid-240x180",
        score="map50",
        shown=("map", "psnr"),
        width=16,
        batch=8,
        epochs={"first": 40, "restore": 5, "tune": 12},
        common="--scales 1",
        trainings=(
            Trained(name="centre", words="--network centre", stage="first"),
            Trained(
                name=f"{short}-restored",
                words=f"{both} --regime restore --learning-rate 3e-3 {wrong}",
                stage="restore",
                start="centre",
            ),
            Trained(name=f"{short}-retrained", words=f"--network centre {TUNED} {wrong}", start="centre"),
            Trained(name=f"{short}-joint", words=f"{both} {TUNED} {wrong}", start=f"{short}-restored"),
            Trained(name=f"{short}-auto-encoder", words=f"{both} {TUNED} {wrong}", start="centre"),
        ),
        rows=(
            Row(title="clear", trained="centre"),
            Row(title="detector", trained="centre", under=disturb),
            Row(title=f"{restorer}, then detector", trained=f"{short}-restored"),
            Row(title="retrained", trained=f"{short}-retrained"),
            Row(title="auto-encoder", trained=f"{short}-auto-encoder"),
            Row(title="joint", trained=f"{short}-joint"),
        ),
        figures=(Figure(name=figure, ours="joint", theirs="retrained"),),
    )


def _boost() -> Claim:
    words = "--regime hr --disturb noise:0.196 --loss recognition,restoration:100"
    blocks = {"one block": "boost-1", "three blocks": "boost"}
    return Claim(
        name="boost",
        about="segmentation and denoising that boost each other: three blocks over one (Xu et al., TOMM 2023, arXiv "
        "2102.12095); noise of standard deviation 50 of 255",
        task="segmentation",
        data="camvid-160x120",
        score="miou",
        shown=("psnr",),
        width=16,
        batch=8,
        epochs={"first": 60, "restore": 1, "tune": 1},
        common="--scales 1",
        trainings=tuple(
            Trained(name=name, words=f"--network {name} {words}", stage="first") for name in blocks.values()
        ),
        rows=tuple(Row(title=count, trained=name) for count, name in blocks.items()),
        figures=(
            Figure(
                name="boost_miou_gain",
                ours="three blocks",
                theirs="one block",
                published="66.5 with three (Cityscapes)",
            ),
            Figure(
                name="boost_psnr_gain_db",
                ours="three blocks",
                theirs="one block",
                score="psnr",
                published="34.42 dB with three (Cityscapes)",
            ),
        ),
    )


def _aeris() -> Claim:
    words, scales = "--regime mix-4 --disturb blur:0-1,noise:0-0.05 --scales 1,2,3,4", (1.0, 2.0, 3.0, 4.0)
    two = f"--network centre+decoder {words} --loss recognition,restoration:20"
    return Claim(
        name="aeris",
        about="a second decoder that gives the picture back makes the encoder better for detection, at factors 1 to 4 "
        "with blur and noise (Cui et al., ECCV 2022)",
        task="detection",
        data="camvid-240x180",
        score="map50",
        shown=("map",),
        width=16,
        batch=8,
        epochs={"first": 48, "restore": 1, "tune": 1},
        trainings=(
            Trained(name="aeris-one", words=f"--network centre {words}", stage="first"),
            Trained(name="aeris-two", words=two, stage="first"),
        ),
        rows=(
            Row(title="one decoder", trained="aeris-one", scales=scales),
            Row(title="two decoders", trained="aeris-two", scales=scales),
        ),
        figures=(Figure(name="aeris_map_gain", ours="two decoders", theirs="one decoder"),),
    )


def _dsrl() -> Claim:
    words = "--regime lr-2 --scales 2"
    two = f"--network unet+decoder {words} --loss recognition,restoration:20"
    return Claim(
        name="dsrl",
        about="a branch of super-resolution, and affinity with its features, make segmentation of small pictures "
        "better (Wang et al., CVPR 2020)",
        task="segmentation",
        data="camvid-160x120",
        score="miou",
        width=16,
        batch=8,
        epochs={"first": 30, "restore": 1, "tune": 1},
        trainings=(
            Trained(name="dsrl-none", words=f"--network unet {words}", stage="first"),
            Trained(name="dsrl-branch", words=two, stage="first"),
            Trained(name="dsrl", words=f"{two},affinity", stage="first"),
        ),
        rows=(
            Row(title="segmentation", trained="dsrl-none", scales=(2,)),
            Row(title="+ super-resolution", trained="dsrl-branch", scales=(2,)),
            Row(title="+ affinity", trained="dsrl", scales=(2,)),
        ),
        figures=(
            Figure(
                name="dsrl_miou_gain", ours="+ affinity", theirs="segmentation", published="+2 or more (Cityscapes)"
            ),
        ),
    )


SURFACE = ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1), (1, 1, 1))
"""Shares of recognition, restoration and perception."""
HEAVY = {"recognition": 1.0, "restoration": 100.0, "perception": 10.0}
"""What brings the three terms to about one size."""


def _surface() -> Claim:
    wrong, both = "--disturb noise:0.2 --restorer-width 8 --scales 1", "--network denoiser/vgg"
    trainings, rows = [], []
    for shares in SURFACE:
        weights = {
            name: heavy * share / sum(shares) for (name, heavy), share in zip(HEAVY.items(), shares, strict=True)
        }
        loss = ",".join(f"{name}:{weight:.6g}" for name, weight in weights.items() if weight)
        title = "/".join(map(str, shares))
        words = f"{both} --regime through --loss {loss} {wrong}"
        trainings.append(Trained(name=f"surface-{title.replace('/', '')}", words=words, start="surface-0"))
        rows.append(Row(title=title, trained=trainings[-1].name))
    return Claim(
        name="surface",
        about="recognition, distortion and perception cannot all be best: a denoiser before a classifier that stays, "
        "by the weights of the three (Liu et al., NeurIPS 2019); rows are recognition/restoration/perception",
        task="classification",
        data="cifar",
        score="accuracy",
        shown=("psnr", "perception"),
        width=16,
        batch=128,
        epochs={"first": 12, "restore": 4, "tune": 6},
        trainings=(
            Trained(
                name="vgg", words="--network vgg --optimizer adamw --learning-rate 2e-3 --scales 1,2,4,8", stage="first"
            ),
            Trained(name="surface-0", words=f"{both} --regime restore {wrong}", stage="restore", start="vgg"),
            *trainings,
        ),
        rows=tuple(rows),
        figures=(),
    )


CLAIMS = {
    claim.name: claim
    for claim in (
        _joint(),
        _denoise(),
        _dfd(),
        _weather(
            "dehaze",
            "dehaze_map_gain",
            "haze:0.1-0.4",
            "aodnet",
            "AOD-Net tuned jointly with the detector beats a detector retrained in haze (Li et al., ICCV 2017)",
        ),
        _weather(
            "low_light",
            "low_light_map_gain",
            "dark:0.8-0.95",
            "tone",
            "tone adjustment that learns from the detector beats a detector retrained in the dark (after Xu et al., "
            "CVPR 2023)",
        ),
        _boost(),
        _aeris(),
        _dsrl(),
        _surface(),
    )
}
"""All of them, in order of worth."""
