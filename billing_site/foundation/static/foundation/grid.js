// In a grid of prices the arrows go from row to row, and cells copied from a spreadsheet are pasted as they lie there.
"use strict";

(() => {
  const place = (input) => {
    const cell = input.closest("td");
    const row = cell.parentElement;
    return { rows: [...row.parentElement.rows], row: row.rowIndex - row.parentElement.rows[0].rowIndex, column: cell.cellIndex };
  };
  const at = (rows, row, column) => rows[row]?.cells[column]?.querySelector("input");

  document.addEventListener("keydown", (event) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step || !event.target.matches(".price-grid input")) return;
    const { rows, row, column } = place(event.target);
    const next = at(rows, row + step, column);
    if (!next) return;
    event.preventDefault();
    next.focus();
    next.select();
  });

  document.addEventListener("paste", (event) => {
    if (!event.target.matches?.(".price-grid input")) return;
    const lines = event.clipboardData.getData("text/plain").replace(/\r/g, "").replace(/\n$/, "").split("\n");
    if (lines.length === 1 && !lines[0].includes("\t")) return;
    event.preventDefault();
    const { rows, row, column } = place(event.target);
    lines.forEach((line, down) => line.split("\t").forEach((text, across) => {
      const input = at(rows, row + down, column + across);
      if (input) input.value = text.trim();
    }));
  });
})();
