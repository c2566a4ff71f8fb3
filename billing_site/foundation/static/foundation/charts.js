// Stacked bars of the numbers in the page, for every canvas[data-chart]: its id is that of the JSON beside it. Of `kind`
// "line" they are lines, told apart by their points, too; of "across" bars from the left. The table below each says the
// same. Colours are those of the page, light or dark.
"use strict";

(() => {
  const LONGEST_NAME = 32;
  const POINTS = ["circle", "rect", "triangle", "rectRot", "cross", "star", "crossRot", "dash"];
  const short = (name) => (name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1)}…` : name);

  function draw(canvas) {
    const style = getComputedStyle(canvas.closest(".house"));
    const colour = (name) => style.getPropertyValue(name).trim();
    const data = JSON.parse(document.getElementById(canvas.dataset.chart).textContent);
    const isLine = data.kind === "line", isAcross = data.kind === "across";
    const quiet = colour("--quiet");
    Chart.getChart(canvas)?.destroy();
    new Chart(canvas, {
      type: isLine ? "line" : "bar",
      data: {
        labels: data.labels,
        datasets: data.series.map((series, index) => {
          const own = series.is_quiet ? quiet : colour(`--series-${(index % 8) + 1}`);
          return {
            label: short(series.name), texts: series.texts, maxBarThickness: 40,
            data: series.values.map((value) => (value === null ? null : Number(value))),
            backgroundColor: own, hoverBackgroundColor: own, borderWidth: isLine ? 2 : 0, borderColor: own,
            pointStyle: POINTS[index % POINTS.length], pointRadius: 4, spanGaps: true,
          };
        }),
      },
      options: {
        animation: false, responsive: true, maintainAspectRatio: false,
        indexAxis: isAcross ? "y" : "x",
        interaction: { mode: "index", axis: isAcross ? "y" : "x", intersect: false },
        scales: {
          [isAcross ? "y" : "x"]: {
            stacked: !isLine, grid: { display: false }, border: { color: colour("--line") },
            ticks: { color: quiet, maxRotation: 0, autoSkip: !isAcross, autoSkipPadding: 12 },
          },
          [isAcross ? "x" : "y"]: {
            type: data.is_logarithmic ? "logarithmic" : "linear",
            stacked: !isLine, border: { display: false }, grid: { color: colour("--line") },
            ticks: { color: quiet, maxTicksLimit: 6 },
          },
        },
        plugins: {
          legend: {
            display: !isAcross, position: "bottom",
            labels: { usePointStyle: isLine, color: colour("--text"), boxWidth: 10, boxHeight: 10, padding: 14 },
          },
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
