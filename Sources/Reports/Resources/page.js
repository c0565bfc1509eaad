// The figures' specs stand in <script type="application/json"> elements, so nothing in them is ever run as code.
const problems = document.getElementById("script-errors");
const report = (text) => { problems.hidden = false; problems.textContent += text + "\n"; };
window.addEventListener("error", (event) => report("script error: " + event.message));
window.addEventListener("unhandledrejection", (event) => report("script error: " + event.reason));

const options = { renderer: "svg", actions: { export: true, source: false, compiled: false, editor: false } };
for (const place of document.querySelectorAll("figure .view")) {
  const spec = JSON.parse(document.getElementById(place.dataset.spec).textContent);
  // Vega's own logger only writes to the console, where nobody looks.
  const logger = {
    level() { return this; },
    error(...parts) { report("figure " + place.dataset.spec + ": " + parts.join(" ")); return this; },
    warn(...parts) { console.warn(...parts); return this; },
    info() { return this; },
    debug() { return this; },
  };
  vegaEmbed(place, spec, { ...options, logger, downloadFileName: place.dataset.spec })
    .then(() => place.querySelector("svg")?.setAttribute("aria-label", spec.description))
    .catch((error) => report("figure " + place.dataset.spec + ": " + error));
}

// Sorting by a click on a column's name: numbers as numbers, missing values last.
for (const button of document.querySelectorAll("thead button")) {
  button.addEventListener("click", () => {
    const header = button.closest("th");
    const body = header.closest("table").tBodies[0];
    const column = header.cellIndex;
    const ascending = header.getAttribute("aria-sort") !== "ascending";
    for (const other of header.parentNode.cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", ascending ? "ascending" : "descending");
    const key = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
    const compare = (a, b) => {
      const [x, y] = [key(a), key(b)];
      if (x === "" || y === "") return (x === "") - (y === "");
      const [m, n] = [Number(x), Number(y)];
      const order = Number.isNaN(m) || Number.isNaN(n) ? x.localeCompare(y) : m - n;
      return ascending ? order : -order;
    };
    body.append(...[...body.rows].sort(compare));
  });
}
