"""What the fuzz tests draw from: damaged copies of what is right, odd values, and a limit of time."""

import signal
from contextlib import contextmanager

from hypothesis import settings
from hypothesis import strategies as st

TOKENS = [
    *(b"", b"\0", b"\n", b"\r\n", b",", b'"', b"'", b"=", b"]", b"[", b"[" * 3000, b"{" * 50, b"..", b"%s%n"),
    *(b"-1", b"0", b"1e308", b"-1e308", b"1e-320", b"nan", b"inf", b"-inf", b"1e999999999", b"0x10", b"1_000"),
    *(b"9" * 19, b"9" * 400, b"9" * 5000, b"true", b"null", b"/dev/zero"),
    *(b"\xff\xfe", b"\xef\xbb\xbf", b"\x80", b"\xe2\x80\xa8", b"\xff" * 8, b"\0" * 64),
]
"""Bytes that readers of text and of binary files stumble over."""

NUMBERS = st.one_of(
    st.integers(),
    st.integers(-3, 3),
    st.floats(),
    st.sampled_from(
        [10**18, -(10**18), 2**63, 2**31, 10**400, 1e308, -1e308, 5e-324, 1e18, float("nan"), float("inf")]
    ),
)
ODD = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=20)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
"""Values of any type, as JSON and TOML have them."""


@st.composite
def damaged(draw, whole):
    """Bytes that were right, after some edits: taken out, put in, doubled, or overwritten."""
    data = bytes(draw(st.sampled_from(whole)) if isinstance(whole, list) else whole)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        stop = min(len(data), start + draw(st.integers(0, 8) | st.integers(0, 400)))
        put = draw(st.sampled_from(TOKENS) | st.binary(max_size=8) | st.just(data[start:stop] * 2))
        data = data[:start] + put + data[stop:]
    return data


def share(part):
    """Fewer examples for what takes longer; in the long profile, too."""
    return settings(max_examples=max(1, int(settings.default.max_examples * part)))


@contextmanager
def within(seconds):
    """Fail where something takes longer: a hang is a fault like any other."""

    def late(*_):
        raise TimeoutError(f"not done after {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def answered(read, *arguments, allowed, seconds=20, **keywords):
    """What a reader gives, or None where it refuses in the way that it should: in one line."""
    try:
        with within(seconds):
            return read(*arguments, **keywords)
    except allowed as error:
        said = str(error)
    assert 0 < len(said) < 4000
    assert "\n" not in said
    return None
