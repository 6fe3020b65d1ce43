"""The command line, sweeps and the docs' table come from the declarations; settings from options in Python."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from vidlink.errors import UserError
from vidlink.options import all_options, options_table, parse_arguments, settings_from, settings_of, simulate_parser
from vidlink.settings import GROUPS, Settings, declarations

ROOT = Path(__file__).parents[1]


def test_every_declaration_is_in_the_help_once():
    parser = simulate_parser()
    names = [max(action.option_strings, key=len, default=action.dest).removeprefix("--") for action in parser._actions]
    assert sorted(names) == sorted(["help", "help-all", *(each.name for each in all_options())])
    assert tuple(group.title for group in parser._action_groups[-len(GROUPS) :]) == GROUPS
    assert all(each.group in GROUPS for each in declarations().values())
    assert "(default: 1,1.5,2,3,4,6,8)" in " ".join(parser.format_help().split())
    assert "{default}" not in parser.format_help()


def test_every_field_but_live_is_an_option():
    assert set(Settings.__dataclass_fields__) - set(declarations()) == {"live"}


def test_the_table_in_the_docs_is_up_to_date():
    written = (ROOT / "docs" / "options.md").read_text(encoding="utf-8")
    assert written == options_table(), "run python -m vidlink.options > docs/options.md"


def test_a_new_option_is_one_line(tmp_path):
    """In a copy of the package with one line more it is on the command line, in sweeps, and in the docs' table."""
    shutil.copytree(ROOT / "vidlink", tmp_path / "vidlink", ignore=shutil.ignore_patterns("weights", "__pycache__"))
    place = tmp_path / "vidlink" / "settings.py"
    line = '    haste: int = option(RUN, "haste", 7, kind=int, help="how hasty (default: {default})")\n'
    text = place.read_text(encoding="utf-8")
    place.write_text(text.replace("    def __post_init__", f"{line}\n    def __post_init__", 1), encoding="utf-8")
    code = (
        "from vidlink.options import options_table, parse_arguments, settings_from, settings_of, simulate_parser\n"
        "from vidlink.sweeping.options import as_columns, known_options, to_settings\n"
        "assert '--haste HASTE' in simulate_parser().format_help()\n"
        "assert 'how hasty (default: 7)' in simulate_parser().format_help()\n"
        "assert settings_from(parse_arguments(['--bitrate', '64k', '--haste', '3'])).haste == 3\n"
        "assert settings_of(bitrate='64k', haste='4').haste == 4\n"
        "assert 'haste' in known_options()\n"
        "assert as_columns(to_settings({'bitrate': '64k', 'haste': 5}))['haste'] == 5\n"
        "assert '| `--haste HASTE` | how hasty (default: 7) | `haste` | yes |' in options_table()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_options_from_python_mean_what_the_command_line_means(tmp_path):
    arguments = ["a.mp4", "--bitrate=48k", "--scales=1,2", "--max-size=320x240", "--nack", "--no-video", "--no-plot"]
    arguments += ["--recognizer-arg=a=1", "--recognizer-arg=b=2", "--labels=a.csv", "--seed=3", "--framerate=12.5"]
    made = settings_of(
        input=Path("a.mp4"),
        bitrate=48_000,
        scales=[1, 2.0],
        max_size=(320, 240),
        nack=True,
        no_video=True,
        no_plot=True,
        vmaf=False,
        recognizer_arg=["a=1", "b=2"],
        labels=Path("a.csv"),
        seed="3",
        framerate=12.5,
        workers=None,
    )
    assert made == settings_from(parse_arguments(arguments))
    assert not made.save_plot
    live = settings_of(input="builtin", bitrate="auto", segment=0.2)
    assert (live.input, live.live, live.shortest_segment_s) == (None, True, 0.2)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"bit_rate": 1}, ["unknown setting 'bit_rate'", "did you mean 'bitrate'"]),
        ({"segment_s": 1}, ["did you mean 'segment'"]),
        ({"startbitrate": 1}, ["did you mean 'start_bitrate'"]),
        ({"out": "x"}, ["unknown setting 'out'"]),
        ({"no_video": "yes"}, ["no-video = 'yes': expected true or false"]),
        ({"input": 3}, ["input = 3: expected a path"]),
        ({"seed": 1}, ["give a budget"]),
    ],
)
def test_options_from_python_that_cannot_be(options, words):
    with pytest.raises(UserError) as caught:
        settings_of(**options)
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_a_value_of_zero_is_a_value():
    settings = settings_from(parse_arguments(["--bitrate=64k", "--deadline=0", "--aggregate=0", "--buffer=0"]))
    assert (settings.deadline_s, settings.aggregate_s, settings.buffer_s) == (0.0, 0.0, 0.0)


def test_settings_need_no_heavy_library():
    heavy = ("numpy", "torch", "cv2", "pandas", "av", "matplotlib", "scipy", "pydantic")
    code = (
        "import sys\nfrom vidlink.options import settings_of\nsettings_of(bitrate='64k', fec='rs', roi='1,2,3,4')\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
