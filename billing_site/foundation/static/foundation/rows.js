// Tables whose rows people add and remove. An empty row is not there for the server, so without this script the empty
// ones that a page comes with are enough.
"use strict";

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-add-row], [data-remove-row]");
  if (!button) return;
  const rows = button.closest("[data-rows]").querySelector("tbody");
  const last = rows.lastElementChild;
  if (button.matches("[data-add-row]")) {
    const row = last.cloneNode(true);
    const count = (text) => text.replace(/(tiers-|Tier )(\d+)/, (_, head, number) => head + (Number(number) + 1));
    for (const error of row.querySelectorAll("ul.errorlist")) error.remove();
    for (const input of row.querySelectorAll("input")) {
      input.value = "";
      input.removeAttribute("value");
      for (const name of ["id", "name", "aria-label"]) input.setAttribute(name, count(input.getAttribute(name)));
    }
    rows.append(row);
    row.querySelector("input").focus();
  } else {
    const row = button.closest("tr");
    for (const input of row.querySelectorAll("input")) input.value = "";
    if (rows.children.length > 1 && row !== last) row.remove();
    rows.dispatchEvent(new Event("input", { bubbles: true })); // whoever shows what the form would do shows it anew
  }
});

// The box in a table's head ticks all of its column; without this script each is ticked by itself.
for (const all of document.querySelectorAll("[data-pick-all]")) {
  const boxes = () => all.closest("table").querySelectorAll(".pick input[name]");
  all.hidden = false;
  all.addEventListener("change", () => {
    for (const box of boxes()) box.checked = all.checked;
  });
}
