"""The example notebook runs in a kernel, on a second of the built-in clip, and shows what it says it shows."""

from itertools import islice
from pathlib import Path

import av
import nbformat
import pytest
from nbclient import NotebookClient

from vidlink.data.builtin import open_builtin

NOTEBOOK = Path(__file__).parents[1] / "examples" / "notebook.ipynb"
INPUT = "CLIP = None"


@pytest.fixture
def face(tmp_path):
    """The first second of the built-in clip as a file."""
    source, path = open_builtin(), tmp_path / "face.mp4"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=source.clip.frame_rate, options={"crf": "12", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = source.clip.width, source.clip.height, "yuv420p"
        segment = next(source.segments(1.0))
        for number, picture in enumerate(islice(segment.frames, 30)):
            picture.pts, picture.time_base = number, 1 / source.clip.frame_rate
            file.mux(stream.encode(picture))
        file.mux(stream.encode(None))
    return path


def test_the_example_notebook_runs(face, tmp_path):
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "outputs are not kept in the repository"
    cells = [cell for cell in notebook.cells if INPUT in cell.source and cell.cell_type == "code"]
    assert len(cells) == 1
    cells[0].source = cells[0].source.replace(INPUT, f"CLIP = {str(face)!r}")
    place = tmp_path / "work"
    place.mkdir()
    NotebookClient(notebook, timeout=900, kernel_name="python3", resources={"metadata": {"path": place}}).execute()
    shown = [set(output.get("data", {})) for cell in notebook.cells for output in cell.get("outputs", [])]
    assert sum("text/html" in each for each in shown) == 2
    assert sum("image/png" in each for each in shown) == 1
    assert not list(place.iterdir())
