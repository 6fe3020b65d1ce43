"""What a recipe may ask of its encoder: the encoder's own parameters, and none that name files.

A recipe is a file that people pass on. Encoders can be told to read and write other files (statistics of two passes,
dumps, tables): none of that has a place in a recipe. What is not known here is left to the encoder, which says in its
log what it did not take; :func:`not_taken` reads that.
"""

from __future__ import annotations

import difflib
import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_FILE = re.compile(
    r"(?<!pro)file(name)?$|(^|-)(file|path|stats?|dump|csv|recon|table|tbl|clbin|load|save|rpu|trace|logfile|config|cfg)(-|$)"
    r"|^(pass|2pass|two-pass.*|multi-pass.*|opencl.*|input|output|debug|roi|fpf|dhdr10-info|rate-distribution-info"
    r"|summarypic.*|tracerule|bitstream|enable-stat-report|ctu-info|svt)$"
)
"""Parameters of x264, x265, SVT-AV1, libaom, VVenC and others that name files, or make the encoder name some itself."""
_WORDS = {
    "cqm": {"flat", "jvt"},
    "scaling-list": {"off", "default", "0", "1"},
    "film-grain": {*map(str, range(101))},
    "aom-film-grain": set[str](),
}
"""Parameters that take words or the name of a file, and the words."""
_OURS = (
    "s",
    "size",
    "video_size",
    "pix_fmt",
    "pixel_format",
    "time_base",
    "framerate",
    "r",
    "vcodec",
    "codec",
    "f",
    "y",
)
"""What vidlink says itself, and what is no encoder's in any case."""
_LISTS = re.compile(r"-(params|parameters)$|^x264opts$")

KNOWN = {
    "x264": """
        8x8dct aq-mode aq-strength annexb asm aud b-adapt b-bias b-pyramid bff bframes bitrate bluray-compat
        cabac chroma-qp-offset chromaloc colormatrix colorprim constrained-intra cpu-independent cqm crf crf-max
        deadzone-inter deadzone-intra deblock direct direct-pred fake-interlaced fast-pskip filler force-cfr fps
        frame-packing fullrange interlaced intra-refresh ipratio keyint level lookahead-threads me merange
        min-keyint mixed-refs mvrange mvrange-thread nal-hrd non-deterministic nr open-gop overscan partitions
        pbratio pic-struct psnr psy psy-rd qblur qcomp qp qpmax qpmin qpstep ratetol rc-lookahead ref sar
        scenecut slice-max-mbs slice-max-size slice-min-mbs slices slices-max sliced-threads sps-id ssim
        stitchable subme sync-lookahead tff threads timebase transfer trellis tune vbv-bufsize vbv-init
        vbv-maxrate verbose videoformat weightb weightp zones""",
    "x265": """
        amp annexb aq-mode aq-motion aq-strength asm aud b-adapt b-intra b-pyramid bframe-bias bframes bitrate
        cbqpoffs chromaloc colormatrix colorprim const-vbv constrained-intra copy-pic cplxblur crf crf-max
        crf-min crqpoffs ctu cu-lossless cutree deblock dynamic-rd early-skip eob eos fades fast-intra frame-dup
        frame-threads frames fullrange gop-lookahead hash hdr10 hdr10-opt hevc-aq high-tier hme hme-search hrd
        idr-recovery-sei info interlace intra-refresh ipratio keyint level-idc limit-modes limit-refs limit-sao
        limit-tu log-level log2-max-poc-lsb lookahead-slices lookahead-threads lossless lowpass-dct
        master-display max-ausize-factor max-cll max-merge max-qp-delta max-tu-size mcstf me merange min-cu-size
        min-keyint nr-inter nr-intra numa-pools open-gop overscan pbratio pme pmode pools preset profile psnr
        psy-rd psy-rdoq qblur qcomp qg-size qp qp-adaptation-range qpmax qpmin qpstep radl range rc-grain
        rc-lookahead rd rd-refine rdoq-level rdpenalty rect ref refine-inter refine-intra refine-mv
        repeat-headers rskip rskip-edge-threshold sao sao-non-deblock sar scaling-list scenecut scenecut-bias
        signhide single-sei slices slow-firstpass splitrd-skip ssim ssim-rd strict-cbr strong-intra-smoothing
        subme temporal-layers temporal-mvp transfer tskip tskip-fast tu-inter-depth tu-intra-depth tune uhd-bd
        vbv-bufsize vbv-end vbv-init vbv-maxrate videoformat vui-hrd-info vui-timing-info weightb weightp wpp
        zones""",
    "svtav1": """
        ac-bias aq-mode asm avif bias-pct buf-initial-sz buf-optimal-sz buf-sz chroma-qm-max chroma-qm-min
        chroma-sample-position color-primaries color-range content-light crf enable-cdef enable-dlf
        enable-overlays enable-qm enable-restoration enable-tf enable-variance-boost fast-decode film-grain
        film-grain-denoise fps-denom fps-num forced-max-frame-height gop-constraint-rc hierarchical-levels
        irefresh-type keyint level lookahead lp luminance-qp-bias mastering-display matrix-coefficients max-qp
        max-tx-size maxsection-pct mbr min-qp minsection-pct noise-norm-strength overshoot-pct pin pred-struct
        preset profile psy-rd qm-max qm-min qp qp-scale-compress-strength rc recode-loop resize-denom
        resize-kf-denom resize-mode rtc scd scm sframe-dist sframe-mode sharpness spy-rd ss startup-mg-size
        superres-denom superres-kf-denom superres-mode tbr temporal-filtering-strength tf-strength tier
        tile-columns tile-rows transfer-characteristics tune undershoot-pct use-fixed-qindex-offsets
        variance-boost-curve variance-boost-strength variance-octile vbr-bias-pct""",
}
"""Names of the parameters of some encoders, to name the nearest one of what was misspelt."""

_CLIPPED = {
    "bf": (0, 16),
    "bframes": (0, 16),
    "me_range": (4, 1024),
    "me-range": (4, 1024),
    "merange": (4, 1024),
    "ref": (1, 16),
    "refs": (1, 16),
    "subme": (0, 11),
    "subq": (0, 11),
    "trellis": (0, 2),
}
"""Options and parameters of x264 that it brings within these bounds without a word (``validate_parameters`` in its
``encoder/encoder.c``)."""

_SAID = re.compile(
    r"(?:error parsing|failed to (?:set|parse)|unknown|invalid|bad)(?: \w+)? (?:option|parameter|value for):? "
    r"'?([\w.-]+)",
    re.IGNORECASE,
)
"""How FFmpeg's wrappers say that an encoder did not take a parameter."""


def check_options(options: dict[str, str]) -> dict[str, str]:
    """Refuse what names files, and what is not the encoder's.

    Parameters
    ----------
    options
        Values by name, as FFmpeg names them.

    Raises
    ------
    ValueError
        What is refused, and why.
    """
    for name, value in options.items():
        check_name(name)
        if not value.isprintable():
            raise ValueError(f"{name} has characters that cannot be printed")
        if re.search(r"(^|[=:,|])\s*['\"]?(/|~|\.\.?/|file:)|\\|://", value):
            raise ValueError(f"{name} = {value!r} names a file: a recipe must not")
        if name.startswith("flags"):
            _check_flags(name, value)
        if _LISTS.search(name):
            _check_list(name, value)
    return options


def check_name(name: str) -> str:
    """Refuse the name of an option that names files or is not the encoder's. Raises as :func:`check_options`."""
    if not re.fullmatch(r"[A-Za-z0-9_][\w.-]*(:v)?", name, re.ASCII):
        raise ValueError(f"{name!r} is not the name of an encoder's option")
    plain = name.removesuffix(":v")
    if plain in _OURS:
        raise ValueError(f"{name} is not the encoder's own option: remove it")
    if _names_file(plain):
        raise ValueError(f"{name} names a file, which a recipe must not: remove it")
    return name


def check_bounds(options: dict[str, str]) -> dict[str, str]:
    """Refuse numbers that x264 would silently take for others. Raises ValueError.

    Examples
    --------
    >>> check_bounds({"x264-params": "keyint=infinite:bframes=20"})
    Traceback (most recent call last):
    ...
    ValueError: x264-params: bframes = 20: x264 takes 0 to 16
    """
    for holder, text in options.items():
        is_list = _LISTS.search(holder)
        pairs = [part.partition("=")[::2] for part in text.split(":")] if is_list else [(holder, text)]
        for name, value in pairs:
            plain = name.strip().removesuffix(":v").replace("_", "-") if is_list else name.removesuffix(":v")
            least, most = _CLIPPED.get(plain, (-math.inf, math.inf))
            if re.fullmatch(r"[0-9]{1,18}", value.strip(), re.ASCII) and not least <= int(value) <= most:
                where = f"{holder}: " if is_list else ""
                raise ValueError(f"{where}{name.strip()} = {value.strip()}: x264 takes {least} to {most}")
    return options


def _check_flags(name: str, value: str) -> None:
    flags = re.split(r"[+\-|]", value)
    if not re.fullmatch(r"[\w+\-|]*", value, re.ASCII) or any(flag.isdigit() for flag in flags):
        raise ValueError(f"{name} = {value!r}: expected flags by name, such as +cgop-loop")
    if any(flag.startswith("pass") for flag in flags):
        raise ValueError(f"{name} = {value!r}: coding in two passes writes a file, which a recipe must not")


def _check_list(name: str, text: str) -> None:
    """Look at a list of parameters, ``a=1:b=2``; zones have more of them inside."""
    if re.search(r"['\"\\]", text):
        raise ValueError(f"{name} = {text!r}: expected name=value:name=value, without quotes")
    for part in re.split(r"[:,/]", text):
        parameter, _, value = part.partition("=")
        plain = _plain(parameter)
        if _names_file(parameter) or value not in _WORDS.get(plain, {value}):
            raise ValueError(f"{name}: {parameter.strip()} names a file, which a recipe must not: remove it")


def _plain(name: str) -> str:
    """A parameter's name as encoders compare it: x264 takes ``dump_yuv``, ``no-`` before a name denies it."""
    return re.sub(r"^no-?(?!n-|rm|ise)", "", name.strip().lower().replace("_", "-"))


def _names_file(name: str) -> bool:
    return _FILE.search(_plain(name)) is not None


def hint(found: str, known: Iterable[str]) -> str:
    """The nearest known name, for the end of a message; empty where none is near."""
    near = difflib.get_close_matches(found, sorted(known), n=1)
    return f": did you mean {near[0]!r}?" if near else ""


def not_taken(lines: Iterable[str], options: dict[str, str]) -> str:
    """What an encoder's log says that it did not take, for a message; empty where it took everything.

    Parameters
    ----------
    lines
        The log.
    options
        What it was given.
    """
    for line in lines:
        said = _SAID.search(line)
        if not said:
            continue
        name = said.group(1).strip(".")
        holder = next((key for key, text in options.items() if _LISTS.search(key) and name in text), "")
        known = {_plain(each) for each in KNOWN.get(re.split(r"-|opts", holder)[0], "").split()}
        if _plain(name) in known:
            given = re.search(rf"(?:^|[:,]){re.escape(name)}=([^:]*)", options.get(holder, ""))
            value = f" {given.group(1)!r}" if given else ""
            return f"{holder}: {name} does not take the value{value}"
        return f"{holder + ': ' if holder else ''}unknown parameter {name!r}{hint(name, known)}"
    return ""
