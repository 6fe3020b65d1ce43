"""``report.html``: a run or a sweep as one page that needs nothing else, and that runs nothing it is shown."""
