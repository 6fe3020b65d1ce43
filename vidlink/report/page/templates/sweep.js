"use strict";
(() => {
  const valueOf = (row, column) => {
    const cell = row.cells[column];
    const number = cell.dataset.number;
    return number === undefined ? cell.textContent : Number(number);
  };
  // Numbers before text, what is missing last in either direction.
  const compare = (one, other, down) => {
    const missing = (value) => value === "–" || value === "";
    if (missing(one) || missing(other)) return missing(one) - missing(other);
    let order;
    if (typeof one === "number" && typeof other === "number") order = one - other;
    else if (typeof one !== typeof other) order = typeof one === "number" ? -1 : 1;
    else order = one.localeCompare(other, undefined, { numeric: true });
    return down ? -order : order;
  };

  for (const table of document.querySelectorAll("table.sortable")) {
    const body = table.tBodies[0];
    table.tHead.addEventListener("click", (event) => {
      const button = event.target.closest("button.sort");
      if (!button) return;
      const head = button.parentElement, column = head.cellIndex;
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const each of table.tHead.rows[0].cells) if (each.hasAttribute("aria-sort")) each.setAttribute("aria-sort", "none");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...body.rows].map((row) => [valueOf(row, column), row]);
      rows.sort((one, other) => compare(one[0], other[0], down));
      body.append(...rows.map(([, row]) => row));
    });
  }

  const filters = document.getElementById("filters"), table = document.getElementById("table");
  const shown = document.getElementById("shown"), words = document.getElementById("words");
  const rows = [...table.tBodies[0].rows];
  const texts = rows.map((row) => [...row.cells].map((cell) => cell.textContent).join(" ").toLowerCase());
  const filter = () => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = [...filters.querySelectorAll("select")].filter((each) => each.value)
      .map((each) => [Number(each.dataset.column), each.value.slice(1)]);
    let count = 0;
    rows.forEach((row, place) => {
      const fits = wanted.every((word) => texts[place].includes(word))
        && chosen.every(([column, value]) => row.cells[column].textContent === value);
      row.hidden = !fits;
      count += fits;
    });
    shown.textContent = `${count} of ${rows.length} rows`;
  };
  filters.hidden = false;
  filters.addEventListener("input", filter);
  filters.addEventListener("submit", (event) => event.preventDefault());
  filter();
})();
