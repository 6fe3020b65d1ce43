"""Plans of earlier runs as what training reels are coded by."""

import json

import pytest

from vidlink.errors import UserError
from vidlink.training.plans import Step, load_plans
from vidlink.types import Rung

ROWS = [
    {"start_s": 0, "scale": 2, "frame_divisor": 5, "quality": 40.5, "wire_bits": 3},
    {"start_s": 2, "scale": 1, "frame_divisor": 1, "quality": 30},
    {"start_s": 3, "scale": 3, "frame_divisor": 2, "quality": 33},
]
PLAN = (
    Step(duration_s=2, rung=Rung(scale=2, frame_divisor=5, quality=40.5)),
    Step(duration_s=1, rung=Rung(scale=1, frame_divisor=1, quality=30)),
    Step(duration_s=1, rung=Rung(scale=3, frame_divisor=2, quality=33)),
)


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_runs_sweeps_and_files_of_several(tmp_path):
    write(tmp_path / "run" / "summary.json", {"plan": ROWS})
    write(tmp_path / "sweep" / "points" / "a.json", {"summary": {"plan": ROWS[:1]}})
    write(tmp_path / "sweep" / "points" / "b.json", {"status": "refused"})
    write(tmp_path / "run" / "run.json", {"command": []})
    write(tmp_path / "run" / "other.json", "{")
    assert load_plans(tmp_path) == [PLAN, (Step(duration_s=1, rung=PLAN[0].rung),)]
    several = write(tmp_path / "several.json", {"plans": [ROWS, ROWS[1:]]})
    assert load_plans(several) == [PLAN, PLAN[1:]]
    assert load_plans(tmp_path / "run" / "summary.json") == [PLAN]


@pytest.mark.parametrize(
    "rows",
    [[], [{"start_s": 0}], "x", [{**ROWS[0], "scale": 0.5}], [{**ROWS[0], "frame_divisor": 0}], [ROWS[1], ROWS[0]]],
)
def test_what_is_no_plan_is_refused(tmp_path, rows):
    with pytest.raises(UserError, match="holds no plan; expected"):
        load_plans(write(tmp_path / "wrong.json", {"plan": rows}))
    with pytest.raises(UserError, match="no such file or folder"):
        load_plans(tmp_path / "nowhere")
