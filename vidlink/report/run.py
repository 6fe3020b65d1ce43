"""A run that is over: its summary, its tables and its picture."""

from __future__ import annotations

import html
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd
    from matplotlib.figure import Figure

    from vidlink.report.run_folder import RunFolder
    from vidlink.report.thumbnails import Thumbnail
    from vidlink.settings import Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """What came of sending one clip over one channel. Columns and keys are described in ``docs/outputs.md``."""

    settings: Settings
    """What was sent, how, and over what."""
    summary: dict[str, Any]
    """The content of ``summary.json``."""
    tables: dict[str, pd.DataFrame]
    """The tables by name: ``segments``, ``frames``, ``packets``, ``predictions``; of a live run ``live``, of a
    recognizer of boxes ``boxes``, too."""
    pictures: tuple[Thumbnail, ...]
    """A few pictures that were sent and seen."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Further files of its folder by path: ``maps/000000.png`` of a recognizer of maps."""
    folder: Path | None = None
    """Where it was written; None where it was not."""

    @property
    def segments(self) -> pd.DataFrame:
        """How each segment was coded and what it took, a row each."""
        return self.tables["segments"]

    @property
    def frames(self) -> pd.DataFrame:
        """What was on show for each source frame, a row each."""
        return self.tables["frames"]

    @property
    def packets(self) -> pd.DataFrame:
        """What was sent and what became of it, a row a packet."""
        return self.tables["packets"]

    @property
    def predictions(self) -> pd.DataFrame:
        """What the recognizer said, a row for each face (or window) and time; without a recognizer there is no row."""
        return self.tables["predictions"]

    def plot(self) -> Figure:
        """Draw the run: pictures, scales and rates, what was lost, what was recognized.

        Returns
        -------
        matplotlib.figure.Figure
            What ``plot.png`` shows. A notebook shows it; ``figure.savefig(path)`` writes it.
        """
        from vidlink.report.plot import draw_run

        return draw_run(self.summary, self.tables, self.pictures)

    def write_to(self, folder: RunFolder) -> Run:
        """Write tables, plot, page and the JSON files into an open run folder; that counts as ``write``.

        Returns
        -------
        Run
            The same, with its folder.
        """
        from vidlink.report.provenance import describe_run

        start = time.perf_counter()
        folder.write_json("run.json", describe_run(self.settings, seconds=self.summary["timing_s"]["total"]))
        folder.write_tables(self.tables)
        folder.write_files(self.files)
        if self.settings.save_plot:
            from vidlink.report.style import save

            save(self.plot(), folder.path / "plot.png")
        if self.settings.save_report:
            self._write_page(folder)
        spent, timing = time.perf_counter() - start, dict(self.summary["timing_s"])
        for stage in ("write", "total"):
            timing[stage] = round(timing[stage] + spent, 3)
        folder.write_json("summary.json", self.summary)
        return replace(self, folder=folder.place)

    def _write_page(self, folder: RunFolder) -> None:
        from vidlink.report.page.found import found_in
        from vidlink.report.page.run_page import write_page

        write_page(found_in(folder.path, self.summary, self.tables, self.pictures), folder.path)

    def write(self, place: str | Path, *, overwrite: bool = False) -> None:
        """Write a run folder: tables, plot, page, ``run.json`` and ``summary.json``.

        The films are written while a run runs, by ``vidlink.run(..., out=FOLDER)``, and are not here.

        Parameters
        ----------
        place
            The folder.
        overwrite
            Whether a run folder that is there already is replaced.

        Raises
        ------
        UserError
            The place is taken, or cannot be written.
        """
        from pathlib import Path

        from vidlink.report.run_folder import RunFolder

        with RunFolder(Path(place), overwrite=overwrite) as folder:
            self.write_to(folder)

    def _repr_html_(self) -> str:
        """The outcome as a short table, and the plot, for notebooks."""
        from base64 import b64encode
        from io import BytesIO

        from vidlink.report.terminal import outcome

        rows = "".join(
            f"<tr><th style='text-align:left'>{html.escape(name)}</th>"
            f"<td style='text-align:left'>{html.escape(text)}</td></tr>"
            for name, text in outcome(self.summary)
        )
        image = BytesIO()
        self.plot().savefig(image, format="png", dpi=80)
        plot = f"<img alt='plot of the run' src='data:image/png;base64,{b64encode(image.getvalue()).decode()}'>"
        return f"<table>{rows}</table>{plot}"
