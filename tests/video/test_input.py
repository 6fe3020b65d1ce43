"""What an INPUT is: a file whatever its name looks like; what lies elsewhere is opened only where that is allowed."""

import os
import shutil
import socket
import threading
from fractions import Fraction
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from vidlink.errors import UserError
from vidlink.settings import Settings
from vidlink.sweeping.identity import identify
from vidlink.video.input import files_of, printable
from vidlink.video.open import open_source

NAMES = [
    "12:30:05.mp4",
    "star*.mp4",
    "-dash.mp4",
    "--out.mp4",
    "concat:a|b.mp4",
    "subfile,,start,0,end,9,,:x.mp4",
    "http:x.mp4",
    "file:x.mp4",
    "pipe:0",
    "img%03d.mp4",
    "%d.png",
    "a[1]?.mp4",
    "with space\nand line.mp4",
    "name.yuv.mp4",
    "ünïcode 影.mp4",
    os.fsdecode(b"not\xff\xfeutf8.mp4"),
    "n" * 236 + ".mp4",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_a_name(tmp_path, small_clip, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    shutil.copy(small_clip, name)
    for path in (name, str(tmp_path / name)):
        source = open_source(path)
        assert len(list(source.frames())) == 50
        source.clip.name.encode()  # it can be written
    assert files_of(name) == [Path(name)]


@pytest.mark.parametrize("name", ["-dash.mp4", os.fsdecode(b"not\xff\xfeutf8.mp4"), "n" * 236 + ".mp4", "12:30.mp4"])
def test_a_run_ends_well_whatever_the_name(command, tmp_path, small_clip, name):
    shutil.copy(small_clip, tmp_path / name)
    ended = command(name, "--scale", "2", "--quality", "40", "--recognizer", "none", "--no-video", "--no-plot")
    assert (ended.status, ended.err) == (0, "")
    (folder,) = (tmp_path / "runs").iterdir()
    assert (folder / "summary.json").is_file()


def test_a_literal_image_is_no_sequence(tmp_path, make_clip):
    make_clip(tmp_path / "img%03d.png", count=3, codec="png", pixel_format="rgb24", options={})
    shutil.copy(tmp_path / "img001.png", tmp_path / "img%03d.png")
    assert len(list(open_source(str(tmp_path / "img%03d.png")).frames())) == 1


@pytest.mark.parametrize("folder", ["a[1]b*c", "12:30"])
@pytest.mark.parametrize("pattern", ["i*.png", "i%03d.png"])
def test_images_in_folders_with_odd_names(tmp_path, make_clip, monkeypatch, folder, pattern):
    (tmp_path / folder).mkdir()
    make_clip(tmp_path / "i%03d.png", count=4, codec="png", pixel_format="rgb24", options={})
    for image in tmp_path.glob("*.png"):
        image.rename(tmp_path / folder / image.name)
    monkeypatch.chdir(tmp_path)
    for path in (f"{folder}/{pattern}", f"{tmp_path}/{folder}/{pattern}"):
        source = open_source(path)
        assert len(list(source.frames())) == 4
        assert [file.name for file in files_of(path)] == [f"i00{number}.png" for number in range(1, 5)]
        assert any("25 a second were assumed" in note for note in source.notes)


def test_a_sequence_may_start_anywhere(tmp_path, make_clip):
    make_clip(tmp_path / "i%d.png", count=12, codec="png", pixel_format="rgb24", options={})
    for number in range(12, 0, -1):
        (tmp_path / f"i{number}.png").rename(tmp_path / f"i{number + 98}.png")
    source = open_source(str(tmp_path / "i%d.png"), frame_rate=Fraction(10))
    assert len(list(source.frames())) == 12
    assert [file.name for file in files_of(str(tmp_path / "i%d.png"))] == [f"i{k}.png" for k in range(99, 111)]


def test_images_are_listed_in_the_order_in_which_they_are_read(tmp_path, make_clip):
    make_clip(tmp_path / "i%d.png", count=11, codec="png", pixel_format="rgb24", options={})
    assert [file.name for file in files_of(str(tmp_path / "*.png"))] == [f"i{number}.png" for number in range(1, 12)]


def test_pipes_and_devices_are_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    with socket.socket(socket.AF_UNIX) as listening:
        os.chdir(tmp_path)
        listening.bind("socket.mp4")
        for path, kind in (("pipe.mp4", "a pipe"), ("socket.mp4", "a socket"), ("/dev/zero", "a device")):
            with pytest.raises(UserError, match=f"is {kind}; a clip is read more than once"):
                open_source(path)
    reading, writing = os.pipe()
    try:
        with pytest.raises(UserError, match="is a pipe"):
            open_source(f"/dev/fd/{reading}")
    finally:
        os.close(reading)
        os.close(writing)
    (tmp_path / "frames").mkdir()
    with pytest.raises(UserError, match="is a folder"):
        open_source(str(tmp_path / "frames"))


@pytest.mark.parametrize(
    "name", ["concat:a.mp4|b.mp4", "subfile,,start,0,end,9,,:a.mp4", "file:a.mp4", "pipe:0", "cache:a.mp4", "a\0b", "-"]
)
def test_protocols_are_no_files(tmp_path, small_clip, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    shutil.copy(small_clip, "a.mp4")
    with pytest.raises(UserError, match="no such file"):
        open_source(name)


@pytest.fixture
def server(tmp_path):
    """An address that serves a folder, and how often it was asked."""
    asked = []

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            super().do_GET()

        def log_message(self, *_):
            pass

    serving = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(tmp_path)))
    thread = threading.Thread(target=serving.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{serving.server_port}", asked
    serving.shutdown()
    thread.join()
    serving.server_close()


def test_addresses_are_opened_only_where_that_is_allowed(tmp_path, small_clip, server):
    address, asked = server
    shutil.copy(small_clip, tmp_path / "clip.mp4")
    for name in (f"{address}/clip.mp4", f"{address}/clip.mp4".replace("//", "/"), f"HTTP{address[4:]}/clip.mp4"):
        with pytest.raises(UserError, match="--allow-network"):
            open_source(name)
    assert asked == []
    assert len(list(open_source(f"{address}/clip.mp4", allow_network=True).frames())) == 50
    with pytest.raises(UserError, match="not a video that FFmpeg can read"):
        open_source(f"{address}/other.mp4", allow_network=True)
    with pytest.raises(UserError, match="no such file"):
        identify(Settings(input=f"{address}/clip.mp4", scale=1, quality=30, recognizer="none"))


PLAYLIST = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n{}#EXT-X-ENDLIST\n"


@pytest.fixture
def segments(tmp_path, make_clip):
    """Two transport streams in ``list``, and one beside that folder."""
    (tmp_path / "list" / "below").mkdir(parents=True)
    for name in ("list/a.ts", "list/below/b.ts", "secret.ts"):
        make_clip(tmp_path / name, count=25)
    return tmp_path / "list"


def playlist(path, *names):
    path.write_text(PLAYLIST.format("".join(f"#EXTINF:1.0,\n{name}\n" for name in names)))
    return str(path)


def test_a_playlist_names_what_is_in_its_folder(segments):
    path = playlist(segments / "l.m3u8", "a.ts", "below/b.ts", str(segments / "a.ts"))
    assert len(list(open_source(path).frames())) == 75
    assert [file.name for file in files_of(path)] == ["l.m3u8", "a.ts", "b.ts"]
    (segments / "master.m3u8").write_text("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000\nl.m3u8\n")
    assert len(list(open_source(str(segments / "master.m3u8")).frames())) == 75
    assert "b.ts" in [file.name for file in files_of(str(segments / "master.m3u8"))]


@pytest.mark.parametrize(
    "name", ["../secret.ts", "below/../../secret.ts", "{parent}/secret.ts", "file:../secret.ts", "link.ts"]
)
def test_a_playlist_does_not_reach_elsewhere(segments, name):
    (segments / "link.ts").symlink_to(segments.parent / "secret.ts")
    path = playlist(segments / "l.m3u8", name.format(parent=segments.parent))
    with pytest.raises(UserError, match="outside its folder"):
        open_source(path)
    with pytest.raises(UserError, match="outside its folder"):
        files_of(path)


def test_nor_into_the_network(segments, server):
    address, asked = server
    for scheme in (address, "concat:a.ts|a.ts", "subfile,,start,0,end,9,,:a.ts", "crypto:a.ts", "pipe:0"):
        name = f"{address}/list/a.ts" if scheme == address else scheme
        with pytest.raises(UserError):
            list(open_source(playlist(segments / "l.m3u8", name)).frames())
    (segments / "key.m3u8").write_text(
        PLAYLIST.format(f'#EXT-X-KEY:METHOD=AES-128,URI="{address}/key"\n#EXTINF:1.0,\na.ts\n')
    )
    with pytest.raises(UserError):
        list(open_source(str(segments / "key.m3u8")).frames())
    assert asked == []


def test_a_playlist_without_an_end_is_read_as_far_as_it_goes(segments):
    path = segments / "l.m3u8"
    path.write_text("#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXTINF:1.0,\na.ts\n")
    assert len(list(open_source(str(path)).frames())) == 25


def test_scripts_of_concat_stay_in_their_folder(segments):
    def script(name):
        (segments / "s.ffconcat").write_text(f"ffconcat version 1.0\nfile '{name}'\nfile below/b.ts\n")
        return str(segments / "s.ffconcat")

    assert len(list(open_source(script("a.ts")).frames())) == 50
    assert [file.name for file in files_of(script("a.ts"))] == ["s.ffconcat", "a.ts", "b.ts"]
    playlist(segments / "l.m3u8", "../secret.ts")
    for name in ("../secret.ts", str(segments.parent / "secret.ts"), "l.m3u8"):
        with pytest.raises(UserError):
            open_source(script(name))


@pytest.mark.parametrize("kind", ["m3u8", "ffconcat"])
def test_a_sweep_notices_what_a_playlist_names(segments, make_clip, kind):
    path = segments / f"l.{kind}"
    if kind == "m3u8":
        playlist(path, "a.ts")
    else:
        path.write_text("ffconcat version 1.0\nfile a.ts\n")
    settings = Settings(input=str(path), scale=1, quality=30, recognizer="none")
    before = identify(settings)
    assert identify(settings) == before
    make_clip(segments / "a.ts", count=25, options={"crf": "45", "preset": "veryfast"})
    assert identify(settings) != before


def test_given_what_a_file_states_itself(tmp_path, small_clip, make_clip):
    with pytest.raises(UserError, match="--framerate is for raw video and images"):
        open_source(str(small_clip), frame_rate=Fraction(50))
    with pytest.raises(UserError, match="--video-size is for raw video"):
        open_source(str(small_clip), video_size=(64, 64))
    bare = make_clip(tmp_path / "clip.264", count=20)
    assert open_source(str(bare), frame_rate=Fraction(50)).clip.frame_rate == 50
    with pytest.raises(UserError, match="--video-size"):
        open_source(str(bare), video_size=(64, 64))


@pytest.mark.parametrize(
    ("codec", "suffix"), [("libx264", "264"), ("libx264", "h264"), ("libx265", "hevc"), ("libx265", "265")]
)
@pytest.mark.parametrize("rate", [50, 12, Fraction(30000, 1001)])
def test_bare_streams_run_at_the_rate_in_their_headers(tmp_path, make_clip, codec, suffix, rate):
    options = {"preset": "veryfast"} | ({"x265-params": "log-level=none"} if codec == "libx265" else {})
    source = open_source(str(make_clip(tmp_path / f"a.{suffix}", count=20, rate=rate, codec=codec, options=options)))
    assert source.clip.frame_rate == rate
    assert [time_s for time_s, _ in source.frames()] == pytest.approx([k / float(rate) for k in range(20)])
    assert source.notes == []
    (segment,) = source.segments(10.0)
    assert segment.duration_s == pytest.approx(20 / rate)


def test_a_bare_stream_that_states_no_rate(tmp_path, make_clip):
    options = {"x265-params": "log-level=none:vui-timing-info=0", "preset": "veryfast"}
    source = open_source(str(make_clip(tmp_path / "a.hevc", count=10, rate=50, codec="libx265", options=options)))
    assert source.clip.frame_rate == 25
    assert any("25 a second were assumed" in note for note in source.notes)


@pytest.mark.parametrize("rate", ["25", "50"])
def test_avi_with_b_frames_runs_at_its_rate(tmp_path, ffmpeg, rate):
    ffmpeg(
        *("-f", "lavfi", "-i", f"testsrc=s=96x64:r={rate}:d=1.2", "-pix_fmt", "yuv420p"),
        *("-c:v", "libx264", "-bf", "3", tmp_path / "a.mp4"),
    )
    ffmpeg("-i", tmp_path / "a.mp4", "-c", "copy", tmp_path / "a.avi")
    source = open_source(str(tmp_path / "a.avi"))
    assert source.clip.frame_rate == int(rate)
    times = [time_s for time_s, _ in source.frames()]
    assert times == pytest.approx([k / int(rate) for k in range(len(times))], abs=1e-3)
    assert len(times) == round(1.2 * int(rate))
    assert sum(segment.duration_s for segment in source.segments(1.0)) == pytest.approx(1.2)


def test_names_that_can_be_printed():
    assert printable(os.fsdecode(b"a\xff.mp4")) == "a\\xff.mp4"
    assert printable("ünï.mp4") == "ünï.mp4"
