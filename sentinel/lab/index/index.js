"use strict";
(() => {
  const table = document.getElementById("runs"), body = table.tBodies[0], rows = [...body.rows];
  const heads = [...table.tHead.rows[0].cells];
  const controls = document.getElementById("controls"), count = document.getElementById("count");
  const [search, notebook, state] = ["search", "notebook", "state"].map((name) => document.getElementById(name));

  const key = (row, column) => row.cells[column].dataset.key;

  // What has no value stands last, whichever way the column is sorted.
  function compared(first, second, column, way) {
    const [a, b] = [key(first, column), key(second, column)];
    if (!a || !b) return Boolean(b) - Boolean(a);
    return way * (heads[column].dataset.kind === "number" ? Number(a) - Number(b) : a.localeCompare(b));
  }

  function sort(column) {
    const ascending = heads[column].getAttribute("aria-sort") !== "ascending";
    heads.forEach((head) => head.removeAttribute("aria-sort"));
    heads[column].setAttribute("aria-sort", ascending ? "ascending" : "descending");
    const sorted = [...rows].sort((a, b) => compared(a, b, column, ascending ? 1 : -1));
    body.append(...sorted);
  }

  function filter() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !(words.every((word) => text.includes(word))
        && (!notebook.value || row.dataset.notebook === notebook.value)
        && (!state.value || row.dataset.state === state.value));
      shown += !row.hidden;
    }
    count.textContent = `${shown} of ${rows.length} shown`;
    for (const section of document.querySelectorAll("section[data-notebook]")) {
      section.hidden = Boolean(notebook.value) && section.dataset.notebook !== notebook.value;
    }
  }

  heads.forEach((head, column) => head.querySelector("button")?.addEventListener("click", () => sort(column)));
  [search, notebook, state].forEach((control) => control.addEventListener("input", filter));
  controls.addEventListener("submit", (event) => event.preventDefault());
  controls.hidden = false;
  filter();
})();
