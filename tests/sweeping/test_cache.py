from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from vidlink.files.cache import Cache


def key(number: int) -> str:
    return f"{number:064x}"[::-1]


def on_disk(folder: Path) -> int:
    return sum(-(-path.stat().st_size // 4096) * 4096 for path in folder.rglob("*") if path.is_file())


def test_computes_once(tmp_path):
    calls = []
    for _ in range(3):
        cache = Cache(tmp_path / "c", max_bytes=10**6)
        assert cache.remember(key(1), lambda: calls.append(1) or b"value") == b"value"
    assert len(calls) == 1
    assert (cache.found, cache.missed) == (1, 0)


def test_an_empty_entry_is_an_entry(tmp_path):
    cache = Cache(tmp_path, max_bytes=10**6)
    cache.put(key(1), b"")
    assert cache.get(key(1)) == b""


def test_damage_is_computed_again(tmp_path):
    cache = Cache(tmp_path, max_bytes=10**6)
    cache.put(key(1), b"value")
    path = next(path for path in tmp_path.rglob("*") if path.is_file())
    for damaged in (b"", path.read_bytes()[:-1], b"\0" * 21):
        path.write_bytes(damaged)
        assert cache.get(key(1)) is None
        assert cache.remember(key(1), lambda: b"value") == b"value"
        assert cache.get(key(1)) == b"value"


def test_the_bound_holds_and_what_was_used_last_stays(tmp_path):
    cache = Cache(tmp_path, max_bytes=400_000)
    cache.put(key(0), b"kept" * 1000)
    for number in range(1, 300):
        cache.put(key(number), bytes(4000))
        if number % 7 == 0:
            assert on_disk(tmp_path) <= 1.03 * cache.max_bytes
        assert cache.get(key(0)) is not None
    assert cache.get(key(1)) is None
    assert cache.get(key(299)) is not None


def test_a_full_cache_from_before_is_trimmed_at_the_first_write(tmp_path):
    Cache(tmp_path, max_bytes=10**7).put(key(1), bytes(10**6))
    Cache(tmp_path, max_bytes=10**5).put(key(2), b"small")
    assert on_disk(tmp_path) <= 10**5


def test_a_full_disk_is_no_error(tmp_path, monkeypatch):
    def full(self, data):
        raise OSError(28, os.strerror(28))

    cache = Cache(tmp_path, max_bytes=10**6)
    monkeypatch.setattr(Path, "write_bytes", full)
    assert cache.remember(key(1), lambda: b"value") == b"value"
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_what_raises_is_not_kept(tmp_path):
    cache = Cache(tmp_path, max_bytes=10**6)
    with pytest.raises(ZeroDivisionError):
        cache.remember(key(1), lambda: bytes(1 // 0))
    assert cache.remember(key(1), lambda: b"value") == b"value"


def test_many_threads(tmp_path):
    cache = Cache(tmp_path, max_bytes=200_000)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: cache.remember(key(n % 40), lambda: bytes([n % 40]) * 3000), range(800)))
    assert found == [bytes([n % 40]) * 3000 for n in range(800)]
