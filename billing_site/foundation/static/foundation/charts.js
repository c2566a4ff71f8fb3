// Stacked bars of the numbers in the page, for every canvas[data-chart]: its id is that of the JSON beside it. The table
// below each says the same. Colours are those of the page, light or dark.
"use strict";

(() => {
  const LONGEST_NAME = 32;
  const short = (name) => (name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1)}…` : name);

  function draw(canvas) {
    const style = getComputedStyle(canvas.closest(".house"));
    const colour = (name) => style.getPropertyValue(name).trim();
    const data = JSON.parse(document.getElementById(canvas.dataset.chart).textContent);
    const last = data.series.length - 1;
    const quiet = colour("--quiet");
    Chart.getChart(canvas)?.destroy();
    new Chart(canvas, {
      type: "bar",
      data: {
        labels: data.labels,
        datasets: data.series.map((series, index) => {
          const own = index === last ? quiet : colour(`--series-${(index % 8) + 1}`);
          return {
            label: short(series.name), data: series.values.map(Number), texts: series.texts, maxBarThickness: 40,
            backgroundColor: own, hoverBackgroundColor: own, borderWidth: 0,
          };
        }),
      },
      options: {
        animation: false, responsive: true, maintainAspectRatio: false,
        interaction: { mode: "index", intersect: false },
        scales: {
          x: {
            stacked: true, grid: { display: false }, border: { color: colour("--line") },
            ticks: { color: quiet, maxRotation: 0, autoSkipPadding: 12 },
          },
          y: {
            stacked: true, border: { display: false }, grid: { color: colour("--line") },
            ticks: { color: quiet, maxTicksLimit: 6 },
          },
        },
        plugins: {
          legend: { position: "bottom", labels: { color: colour("--text"), boxWidth: 10, boxHeight: 10, padding: 14 } },
          tooltip: {
            filter: (item) => Number(item.raw) !== 0,
            callbacks: { label: (item) => `${item.dataset.label}: ${item.dataset.texts[item.dataIndex]}` },
          },
        },
      },
    });
  }

  document.addEventListener("DOMContentLoaded", () => {
    const all = () => document.querySelectorAll("canvas[data-chart]").forEach(draw);
    all();
    new MutationObserver(all).observe(document.documentElement, { attributeFilter: ["class"] });
  });
})();
