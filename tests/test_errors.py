"""Errors say what is wrong, and travel between processes."""

import pickle

import pytest
import torch
from safetensors.torch import save_file

from vidlink.codec.shelf import load_channel
from vidlink.errors import BudgetError, UserError, unknown
from vidlink.nets.weights import load_network
from vidlink.sweeping.grid import sweep_from
from vidlink.units import parse_fec


def test_a_budget_that_is_too_low_names_the_least_one_in_words_and_as_a_number():
    error = BudgetError(1000.0, 2340)
    assert isinstance(error, UserError)
    assert str(error) == (
        "--bitrate 1k is below what the smallest rung of this clip needs: the lowest rate that works is 2.34k"
    )
    again = pickle.loads(pickle.dumps(error))
    assert (again.asked_bps, again.lowest_bps, str(again)) == (1000.0, 2340, str(error))


@pytest.mark.parametrize(("found", "hint"), [("gccc", "did you mean 'gcc'? known are gcc, throughput"), ("z", "known")])
def test_an_unknown_name_is_told_its_neighbours(found, hint):
    assert hint in str(unknown("estimator", found, ["throughput", "gcc"]))


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a\nb", "a\\nb"), ("a\r\n", "a\\r\\n"), ("\x1b[31mred", "\\x1b[31mred"), ("\udcff.mp4", "\\udcff.mp4"),
     ("\u2028", "\\u2028"),
     ("\u00fcml\u00e4ut \u4e2d", "\u00fcml\u00e4ut \u4e2d")],
)  # fmt: skip
def test_a_message_is_one_line_whatever_stands_in_it(text, shown):
    assert str(UserError(text)) == shown
    assert str(pickle.loads(pickle.dumps(UserError(text)))) == shown


def test_texts_of_files_and_sweeps_break_no_line(tmp_path):
    channel = tmp_path / "odd.toml"
    channel.write_text('description = "x"\n[loss]\nmodel = "a\\nb"\n')
    with pytest.raises(UserError) as caught:
        load_channel(str(channel))
    assert len(str(caught.value).splitlines()) == 1
    with pytest.raises(UserError) as caught:
        list(sweep_from({"grid": {"seed": ["a\nb"]}}).make_points(tmp_path))
    assert len(str(caught.value).splitlines()) == 1
    save_file({"a": torch.zeros(1)}, tmp_path / "w.safetensors", {"network": '{"\\n": null}'})
    with pytest.raises(UserError) as caught:
        load_network(tmp_path / "w.safetensors")
    assert len(str(caught.value).splitlines()) == 1


def test_a_long_code_of_parity_is_cut_in_the_message():
    with pytest.raises(UserError) as caught:
        parse_fec("auto:" + "[" * 5000)
    assert len(str(caught.value)) < 300
