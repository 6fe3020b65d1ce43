"""Figures in documents are those of the stored results: a table or an interval that differs from its file fails.

Only files in ``docs/`` are read; nothing is measured.
"""

import csv
import json
import math
import re
from functools import cache
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest

from vidlink.sweeping.intervals import interval, jackknife

ROOT = Path(__file__).parents[1]
NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?")
SIGNED = r"([-+]?\d+(?:\.\d+)?)"
WITH_INTERVAL = re.compile(rf"{SIGNED}(?: %)?(?: points)? \[{SIGNED}, {SIGNED}\]")
AFFECT = ("valence", "arousal")
WAYS = {
    "full size": "full",
    "adaptive, by PSNR": "adaptive, psnr",
    "adaptive by PSNR": "adaptive, psnr",
    "adaptive, by the task": "adaptive, task",
}
"""Ways of sending the road film, as its page and as its rows have them."""


@cache
def stored(name):
    """What a benchmark stored."""
    return json.loads((ROOT / "docs" / f"{name}.json").read_text(encoding="utf-8"))


def rows_of(name):
    """The rows of a CSV file of rate against accuracy."""
    with (ROOT / "docs" / "rate_accuracy" / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def plain(page):
    """The text of a page without bold type and code, with one kind of minus and one kind of space."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.sub(r"[*`]", "", text).replace("−", "-")


def tables(page, *head):
    """Header and rows of each table of a page whose header begins so, as cells."""
    found, inside = [], False
    for line in plain(page).splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.strip().startswith("|"):
            inside = False
        elif not inside and cells[: len(head)] == list(head):
            found.append((cells, []))
            inside = True
        elif inside and set("".join(cells)) - set("-: "):
            found[-1][1].append(cells)
    assert found, f"{page} has no table that begins with {head}"
    return found


def rows(page, *head):
    """Rows of the one table of a page whose header begins so."""
    ((_, found),) = tables(page, *head)
    return found


def agrees(cell, *values):
    """Whether the numbers of a cell are these values, rounded to as many decimals as the cell has."""
    quoted = NUMBER.findall(cell)
    return len(quoted) == len(values) and all(
        # a tenth beyond rounding: some benchmarks round before they store
        abs(float(number) - value) <= 0.6 * 10.0 ** -len(number.partition(".")[2])
        for number, value in zip(quoted, values, strict=True)
    )


def check(cell, *values):
    """Fail where they do not agree."""
    assert agrees(cell, *values), f"{cell!r} against {values}"


def test_a_figure_that_disagrees_is_found():
    assert agrees("-53.2 % [-57.0, -49.6]", -53.243, -57.03, -49.638)
    assert agrees("0.802 / 0.805", 0.8017, 0.8051)
    assert not agrees("0.803 / 0.805", 0.8017, 0.8051)
    assert not agrees("+0.032", -0.032)
    assert not agrees("0.80", 0.8, 0.8)


def test_receivers_on_faces():
    figures = stored("receivers")["figures"]
    for label, *cells in rows("docs/rate_accuracy.md", "", "s = 1", "s = 1.5"):
        for scale, cell in zip(("1", "1.5", "2", "3", "4", "6"), cells, strict=True):
            check(cell, *(figures[f"{label}/{name}/s-{scale}"] for name in AFFECT))


@pytest.mark.parametrize(("name", "column", "first"), [("points", "bitrate_bps", "6k"), ("loss", "loss", "0 %")])
def test_scores_by_rate_and_by_loss(name, column, first):
    found = {(row["method"], float(row[column])): row for row in rows_of(name)}
    (((_, *keys), lines),) = tables("docs/rate_accuracy.md", "receiver, way of sending", first)
    for label, *cells in lines:
        for key, cell in zip(keys, cells, strict=True):
            row = found.get((label, float(key[:-1]) * 1000 if key.endswith("k") else float(key[:-2])))
            assert (row is None) == (cell == "–")
            if row:
                check(cell, *(float(row[f"ccc_{each}"]) for each in AFFECT))


def test_recorded_links():
    found = stored("traces")["rows"]
    for trace, gives, *cells in rows("docs/channel.md", "trace", "gives kb/s"):
        mine = [row for row in found if row["trace"] == trace]
        check(gives, mine[0]["trace_kbps"])
        for row in mine:
            delays, packets, frames, *cells = cells
            check(delays, *(row[f"delay_{key}_s"] for key in ("p50", "p95", "max")))
            check(packets, row["lost"], row["late"])
            check(frames, *(row[status] for status in ("ok", "concealed", "drifting", "frozen")))
    figures = stored("traces")["figures"]
    assert (figures["runs"], figures["implausible"]) == (len(found), 0)
    assert f"{len(found)} runs, all complete, none implausible" in plain("docs/channel.md")


def test_what_is_compared_under_loss():
    found = rows_of("loss_pairs")
    lines = rows("docs/rate_accuracy.md", "mean CCC", "less that of")
    cells = [(method, anchor, cell) for method, anchor, *cells in lines for cell in cells]
    for (method, anchor, cell), row in zip(cells, found, strict=True):
        assert (method, anchor) == (row["method"], row["anchor"])
        check(cell, *(float(row[end]) for end in ("value", "low", "high")))


def test_what_each_part_brings():
    for head, how in (("added to those above it", "added"), ("by itself: the adaptive sender with mix", "alone")):
        (_, lines), *_ = [each for each in tables("docs/rate_accuracy.md") if each[0][0].startswith(head)]
        quoted = [cell for _, cell in lines if cell]
        parts = [row for row in rows_of("waterfall") if row["how"] == how]
        for cell, row in zip(quoted, parts, strict=True):
            check(cell, *(float(row[end]) for end in ("value", "low", "high")))


def test_real_clips():
    found = {f"{row['clip']}: {row['method']}": row["ccc_mean"] for row in stored("real_clips")["rows"]}
    ((_, *budgets), lines), *_ = tables("docs/rate_accuracy.md", "mean CCC with the pristine output")
    for label, *cells in lines:
        for budget, cell in zip(budgets, cells, strict=True):
            value = found[label].get(f"{float(budget[:-1]) * 1000}")
            assert (value is None) == (cell == "–")
            if value is not None:
                check(cell, value)
    assert len(lines) == len(found)


def test_within_tracks():
    known = {
        (row["method"], row["anchor"], row["score"]): [float(row[end]) for end in ("value", "low", "high")]
        for name in ("bd", "pairs")
        for row in rows_of(name)
        if row["figure"] == "BD-rate %" and row["value"]
    }
    ((_, lines),) = [
        each for each in tables("docs/rate_accuracy.md", "", "against") if "valence within tracks" in each[0]
    ]
    for method, anchor, *cells in lines:
        for cell, score in zip(cells, ("ccc_mean", "ccc_valence_within", "ccc_arousal_within"), strict=True):
            check(cell, *known[method, anchor, score])


def test_the_papers_figure():
    page, result = "docs/joint_training.md", stored("paper_figure")
    names = {"the paper's": "recognition", "ours": "residual"}
    for label, *cells in rows(page, "CCC valence / arousal"):
        network, regime = label.split(", ")
        own = [row for row in result["rows"] if (row["network"], row["regime"]) == (names[network], regime)]
        for cell, row in zip(cells, own, strict=True):
            check(cell, row["ccc_valence"], row["ccc_arousal"])
    (((_, *regimes), lines),) = tables(page, "mean CCC less that of lr-4")
    for label, *cells in lines:
        for cell, regime in zip(cells, regimes, strict=True):
            check(cell, *result["intervals"][f"{names[label]}/{regime}"].values())


def mean_ccc(scores, scale="1"):
    """CCC of valence and arousal, the means over seeds."""
    return [fmean(each[scale]["ccc"][name] for each in scores) for name in AFFECT]


def test_bad_cameras():
    page, result = "docs/joint_training.md", stored("degradations")
    quoted = re.search(r"good faces \(HQ\) has ([^ ]+ / [^ ]+)\.", plain(page))
    check(quoted[1], *mean_ccc(result["hq"]))
    (((_, *head), lines),) = tables(page, "a (b)")
    for (label, *cells), row in zip(lines, result["rows"], strict=True):
        assert label == f"{row['what']}: {row['recognized']} ({row['worse']})"
        for way, cell in zip(head[:4], cells[:4], strict=True):
            check(cell, *mean_ccc(row["scores"][way]))
        for cell, which in zip(cells[4:], ("joint", "aggressive"), strict=True):
            check(cell, *(row["differences"][which][end] for end in ("difference", "low", "high")))


def test_max_mix():
    begins, restores = {"chance": "random"}, {"nothing": "none"}
    lines = rows("docs/joint_training.md", "begins with")
    for (begin, first, rate, *cells, less), row in zip(lines, stored("max_mix")["rows"], strict=True):
        named = (begins.get(begin, begin), restores.get(first, first), rate)
        assert named == (row["begins"], row["restores"], row["rate"])
        for scale, cell in zip("12346", cells, strict=True):
            check(cell, *mean_ccc(row["scores"], scale))
        if less:
            check(less, row["difference"], row["low"], row["high"])


def test_own_numbers():
    found = {(row["bits"], round(5 / row["kept"], 1)): row for row in stored("own_numbers")["rows"]}
    for rate, bits, a_second, ccc in rows("docs/rate_accuracy.md", "bits a second on the wire"):
        row = found[int(bits), float(a_second)]
        check(rate, row["wire_bps"])
        check(ccc, *row["ccc"].values())


def test_objectives():
    def both(clip, key, rate):
        runs = (stored("objectives")["runs"][clip][way] for way in ("psnr", "task"))
        return [float(np.mean(run[key])) for runs_of_way in runs for run in runs_of_way if run["rate_bps"] == rate]

    keys = ("error", "agreement", "labels_ccc", "psnr_db")
    places = [("built-in", key) for key in keys] + [("carphone", key) for key in keys if key != "labels_ccc"]
    for budget, *cells in rows("docs/allocation.md", "budget", "built-in: error"):
        for cell, (clip, key) in zip(cells, places, strict=True):
            check(cell, *both(clip, key, 1000 * int(budget[:-1])))


def test_bits_over_time():
    result = stored("bits_over_time")
    for groups, bucket, *cells, encodes in rows("docs/allocation.md", "groups", "bucket"):
        gop, depth = groups.removeprefix("--").replace(" ", "_"), bucket.split()[0]
        here = [point for key, point in result["points"].items() if key.endswith(f" {gop} {depth}")]
        for cell, key in zip(cells, ("psnr_db", "ccc"), strict=True):
            ends = [f"{gop}_buffer_{depth}_{key}_{end}" for end in ("low", "high") if "(" in cell]
            check(cell.replace(" to ", " "), fmean(point[key] for point in here), *map(result["figures"].get, ends))
        check(encodes, fmean(point["encodes"] for point in here))


def test_allocation_and_levers():
    page, rates = "docs/allocation.md", stored("allocation")["bd_rates"]
    (((_, *ways), lines),) = tables(page, "clip", "reference")
    for clip, *cells in lines:
        for way, cell in zip(ways, cells, strict=True):
            value = rates[way][clip]
            assert (value is None) == (cell == "–")
            if value is not None:
                check(cell, value)
    figures = stored("allocation")["figures"]
    for names, cell, _ in rows(page, "figure", "measured"):
        wanted = [name for name in re.findall(r"\w+", names.partition(":")[0]) if name in figures]
        worst = re.search(r"worst ([-\d.]+)", names)
        if worst:
            check(worst[1], figures["bd_rate_vs_reference_worst"])
        check(cell, *(figures[name] for name in wanted))
    figures = stored("allocation_length")["figures"]
    for seconds, cpu, coding, memory in rows(page, "seconds", "processor time"):
        for cell, key in ((cpu, "cpu_s"), (coding, "encode_cpu_s"), (memory, "peak_mib")):
            check(cell, figures[f"{key}_{seconds}"])
    figures = stored("other_levers")["figures"]
    for label, *_, mean, cpu in rows(page, "lever", "12k"):
        name = label.partition(":")[0]
        check(mean, *(figures[f"{name}_ccc{end}"] for end in ("", "_low", "_high")))
        check(cpu, figures[f"{name}_cpu"])
    figures = stored("levers")["figures"]
    (_, lines), *_ = tables(page, "lever", "8k")
    for label, *_, mean, psnr, error, cpu in lines:
        name = label.partition(":")[0]
        check(mean, *(figures[f"{name}_ccc{end}"] for end in ("", "_low", "_high")))
        for cell, key in ((psnr, "psnr_db"), (error, "error"), (cpu, "cpu")):
            check(cell, figures[f"{name}_{key}"])


def test_held_frames():
    figures = stored("held_frames")["figures"]
    for divisor, even, picture, task, calm in rows("docs/allocation.md", "divisor"):
        ways = ("every",) * 3 if divisor == "1" else tuple(f"{way}_{divisor}" for way in ("even", "picture", "task"))
        for cell, way in zip((even, picture, task), ways, strict=True):
            check(cell, figures[f"{way}_changing"])
        check(calm, figures[f"{ways[0]}_calm"])
    gains = WITH_INTERVAL.findall(plain("docs/allocation.md").partition("With picture the looks")[2])[:3]
    for quoted, divisor in zip(gains, (3, 4, 6), strict=True):
        check(" ".join(quoted), *(figures[f"picture_{divisor}_regained{end}"] for end in ("", "_low", "_high")))


def test_receivers_over_time():
    result, budgets = stored("receiver_time"), ("12k", "18k", "26k")
    for (name, agreement), line in zip(
        result["real"].items(), rows("docs/receiver.md", "receiver", "12k"), strict=True
    ):
        _, *cells, gains, real = line
        found = [result["receivers"][f"{budget} {name}"] for budget in budgets]
        for cell, each in zip(cells, found, strict=True):
            check(cell, *each["ccc"])
        if name != "single":
            check(gains.replace(" to ", " "), *(v for each in found for v in (each["gain"], *each["interval"])))
        check(real, *agreement)


def test_the_receivers_speed():
    result = stored("receiver_speed")
    found = result["details"]["cpu"]
    (cells,) = rows("docs/receiver.md", "", "naive: wall, processor")
    for cell, side in zip(cells[1:], ("naive", "vidlink"), strict=False):
        check(cell, found[f"{side}_s"], found[f"{side}_processor_s"])
    check(cells[3], result["figures"]["cpu_speedup"])
    quoted = plain("docs/receiver.md").partition("That is ")[2].partition(".")[0]
    check(quoted, result["figures"]["cpu_images_per_s"], 100 * result["figures"]["cpu_floor_share"])


def test_restored_faces():
    found = stored("restored_faces")["rows"]
    for sent, *cells in rows("docs/restorers.md", "sent at"):
        for cell, way in zip(cells, ("bicubic", "temporal"), strict=True):
            check(cell, found[sent][way])


def test_regions():
    for line, row in zip(rows("docs/allocation.md", "clip, budget"), stored("regions")["rows"], strict=True):
        clip, budget, way, *numbers = row
        assert line[1] == way
        assert line[0] in (f"{clip}, {budget}", "")
        quoted = NUMBER.findall(" ".join(line[2:]))
        assert quoted == numbers[: 5 if way == "none" else 6]


def test_super_resolution():
    found = stored("super_resolution")["figures"]
    bicubic, srcnn, _, espcn = rows("docs/super_resolution.md", "", "Set5")
    for (_, cell), name in zip((bicubic, srcnn, espcn), ("bicubic", "srcnn", "espcn"), strict=True):
        check(cell, found[name])


def test_two_workers():
    found = stored("sweep_scaling")["figures"]
    quoted = re.search(r"Two are ([\d.]+) times.*?\n(\d+) points a minute", plain("docs/sweeps.md"))
    check(" ".join(quoted.groups()), found["speedup_2_workers"], found["points_per_minute"])


def test_loss():
    found = {row["setting"]: row for row in stored("loss_resilience")["rows"]}
    for clip, (_, lines) in zip(("bikes", "carphone"), tables("docs/loss_resilience.md", "slices"), strict=True):
        for slices, gop, loss, *cells in lines:
            for number, protection in enumerate(("none", "fec", "nack")):
                frames, psnr, rate = cells[3 * number : 3 * number + 3]
                row = found.get(f"{clip}/slices-{slices}/gop-{gop}/{protection}/loss-{loss[:-2]}")
                assert (row is None) == (frames == "")
                if row:
                    check(frames, *(row[each] for each in ("ok", "concealed", "drifting", "frozen")))
                    check(psnr, row["psnr_db"])
                    check(rate, row["wire_kbps"])


def test_live():
    result = stored("live")["rows"]
    keys = ("capacity_used", "queue_p95_s", "frozen", "damaged", "psnr_db", "ssim", "agreement_ccc")

    def check_all(cells, mine):
        for cell, key in zip(cells, keys, strict=True):
            percent = 100 if key in ("frozen", "damaged") else 1
            check(cell, percent * fmean(row[key] for row in mine if row[key] is not None))

    for links, sender, *cells in rows("docs/live.md", "links", "sender"):
        check_all(cells, [row for row in result if (row["kind"], row["sender"]) == (links.split()[0], sender)])
    for link, _, *cells in rows("docs/live.md", "link", "mean kb/s"):
        check_all(cells, [row for row in result if (row["link"], row["sender"]) == (link, "gcc")])


def test_cost():
    found = stored("overhead")["figures"]
    (line,) = (block for block in plain("docs/figures.md").split("\n\n") if block.startswith("Cost ("))
    quoted = re.search(
        r"takes\s([\d.]+) × the wall.*takes ([\d.]+) s, the default run (\d+) s.*"
        r"takes ([\d.]+) × the clip.*and ([\d.]+) × that in",
        line,
        re.DOTALL,
    )
    keys = ("wall_ratio", "help_s", "default_run_s", "realtime_factor", "realtime_cpu")
    for cell, key in zip(quoted.groups(), keys, strict=True):
        check(cell, found[key])


def test_claims_of_the_literature():
    keys = {"accuracy": "accuracy", "mIoU": "miou", "mAP50": "map50", "mAP": "map", "PSNR (dB)": "psnr"}
    keys["distance of patches"] = "perception"
    found = {(row["claim"], row["row"]): row["seeds"] for row in stored("tasks")["rows"]}
    for claim in dict.fromkeys(claim for claim, _ in found):
        (((_, *names), lines),) = tables("docs/claims.md", claim)
        assert [(claim, label) for label, *_ in lines] == [each for each in found if each[0] == claim]
        for label, *cells in lines:
            for cell, name in zip(cells, names, strict=True):
                unit = 100 if name in ("accuracy", "mIoU", "mAP50", "mAP") else 1
                values = [unit * seed[keys[name]] for seed in found[claim, label] if keys[name] in seed]
                check(cell, *((fmean(values), (max(values) - min(values)) / 2) if values else ()))
    for _, figure, ours, *_ in rows("docs/claims.md", "claim", "figure"):
        row = stored("tasks")["intervals"][figure]
        check(ours, row["value"], row["low"], row["high"])


def road(score, channel, network, way, rate):
    """The row of a way of sending the road film."""
    wanted = {"score": score, "channel": channel, "network": network, "method": WAYS.get(way, way), "kbps": rate}
    (found,) = [row for row in stored("roads")["rows"] if all(row[key] == value for key, value in wanted.items())]
    return found


def test_road_scenes():
    lossless = [("perfect", rate) for rate in (24, 48, 96, 192, 512)]
    lossy = [(channel, rate) for channel in ("bernoulli-5", "gilbert-elliott") for rate in (24, 96)]
    for head, places in (("perfect channel", lossless), ("5 % of the packets lost", lossy)):
        score = ""
        for label, *cells in rows("docs/pictures.md", head):
            if label.startswith("payload"):
                continue
            named = re.fullmatch(r"(mIoU|mAP50)(?: \(pristine ([\d.]+)\))?: (.*)", label)
            score, way = (named[1].lower(), named[3]) if named else (score, label)
            for cell, (channel, rate) in zip(cells, places, strict=True):
                if cell:
                    row = road(score, channel, "shipped", way, rate)
                    check(cell, row["value"])
                    check(named[2] if named and named[2] else "", *([row["ceiling"]] if named and named[2] else []))
    (((_, *ways), lines),) = tables("docs/pictures.md", "less full size, at 24 kb/s")
    for label, *cells in lines:
        score, channel = label.lower().split(", ")
        for way, cell in zip(ways, cells, strict=True):
            if cell:
                check(cell, *less_full_size(score, channel, way))


def less_full_size(score, channel, way):
    """A difference at 24 kb/s, with the interval over stretches, or over draws where that one is wider."""
    one, other = (road(score, channel, "shipped", each, 24) for each in (way, "full"))
    value = one["value"] - other["value"]
    low, high = jackknife(value, np.subtract(one["without"], other["without"]), "")
    if len(one["seeds"]) > 1:
        _, *ends = interval(np.subtract(one["seeds"], other["seeds"]))
        low, high = max((low, high), ends, key=lambda each: each[1] - each[0])
    return value, low, high


def test_learned_restoring_and_coding():
    result = stored("learned_codec")
    names = ("x264", "x264_zerolatency", "x264_realtime", "x265")
    for clip, *cells in rows("docs/learned_codec.md", "clip", "x264 medium"):
        found = result["figures"] if clip == "mean" else result["clips"][clip]
        for cell, name in zip(cells, names, strict=True):
            value = found[f"bd_rate_vs_{name}"]
            check(cell, *([] if value is None else [value]))
    result = stored("compute")["rows"]
    for network in ("classsr", "path-restore"):
        (((_, _, _, *ways), lines),) = tables("docs/compute.md", network, "bicubic")
        for label, bicubic, longest, *cells in lines:
            found = result[f"{network} {label}"]
            check(bicubic, found["bicubic"]["psnr_db"])
            check(longest, found["longest"]["psnr_db"])
            for way, cell in zip(ways, cells, strict=True):
                check(cell, found["longest"]["psnr_db"] - found[way]["psnr_db"], found[way]["flops_share"])
    found = {(row["clip"], row["budget"], row["mode"]): row for row in stored("overfit")["rows"]}
    for label, *cells in rows("docs/restorers.md", "clip, budget", "off kb/s"):
        plain_, auto = (found[(*label.split(", "), mode)] for mode in ("off", "auto"))
        values = [value for row in (plain_, auto) for value in (row["wire_bps"] / 1000, row["psnr_db"])]
        values.append(100 * auto["weights_bits"] / auto["wire_bps"] / auto["seconds"])
        for cell, value in zip([*cells[:4], cells[5]], values, strict=True):
            check(cell, value)
        check(cells[6], auto["groups"]["restored"], sum(auto["groups"].values()))


def test_cards_of_shipped_weights():
    affect, activity, segmentation = (
        json.loads((ROOT / "vidlink" / "weights" / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("affect", "activity", "road-segmentation")
    )
    for (_, _, *cells), card in zip(
        rows("docs/training.md", "CCC", "epochs"), (affect["started_from"], affect), strict=True
    ):
        for cell, scores in zip(cells, card["valid_scores"].values(), strict=True):
            check(cell, *scores["ccc"].values())
    lines = rows("docs/activity.md", "size that the scale factor makes of 320×240")
    for (_, factor, accuracy, clips, groups), scores in zip(lines, activity["scores"], strict=True):
        check(factor, scores["scale"])
        check(accuracy, scores["accuracy"])
        check(clips, *scores["interval"])
        check(groups, *scores["interval_groups"])
    for (_, *cells), score in zip(
        rows("docs/pictures.md", "CamVid, val (101 pictures)"), ("miou", "pixels"), strict=True
    ):
        for cell, scores in zip(cells, segmentation["valid_scores"].values(), strict=True):
            check(cell, scores[score])


def with_intervals():
    """Every stored value that has an interval: value, low, high."""
    for name in ("waterfall", "bd", "pairs", "by_task"):
        for row in rows_of(name):
            if row["value"] and row.get("figure", "BD-rate %") == "BD-rate %":
                yield tuple(float(row[end]) for end in ("value", "low", "high"))
    for row in rows_of("loss_pairs"):
        yield tuple(float(row[end]) for end in ("value", "low", "high"))
    for name in ("overfit", "levers"):
        figures = stored(name)["figures"]
        for key in figures:
            if f"{key}_low" in figures:
                yield tuple(figures[f"{key}{end}"] for end in ("", "_low", "_high"))
    for row in stored("tasks")["intervals"].values():
        yield row["value"], row["low"], row["high"]
    for way in ("s = 2", "s = 4", "adaptive, by PSNR"):
        yield less_full_size("miou", "perfect", way)


PAGES = ("claims", "figures", "rate_accuracy", "when_it_pays", "restorers")


@pytest.mark.parametrize("page", ["README.md", *(f"docs/{name}.md" for name in PAGES)])
def test_an_interval_that_is_quoted_is_stored(page):
    known = [found for found in with_intervals() if all(map(math.isfinite, found))]
    known += [(-value, -high, -low) for value, low, high in known]  # "saves 3 %" and "-3 %"
    found = WITH_INTERVAL.findall(plain(page).replace("\n", " "))
    assert found
    for quoted in found:
        assert any(agrees(" ".join(quoted), *values) for values in known), f"{page}: {quoted} is not stored"
