// The customer's page: draws the chart from the numbers in the page, and keeps the page telling the truth about
// whether it is live. htmx asks the server and swaps the parts; nothing is evaluated, nothing comes from elsewhere.
"use strict";

(() => {
  const LONGEST_NAME = 32;
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const short = (name) => (name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1)}…` : name);

  // --- The chart -------------------------------------------------------------------------------------------------

  const charts = [];

  const locale = document.documentElement.dataset.locale;
  const ticks = (unit) => {
    if (!unit.code) return (value) => value.toLocaleString(locale);
    const whole = new Intl.NumberFormat(locale, { style: "currency", currency: unit.code, maximumFractionDigits: 0 });
    const fine = new Intl.NumberFormat(locale, { style: "currency", currency: unit.code, maximumFractionDigits: 6 });
    return (value) => (Number.isInteger(value) ? whole : fine).format(value);
  };

  function options(chart) {
    const data = () => chart.data;
    return {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      interaction: { mode: "index", intersect: false },
      scales: {
        x: { stacked: true, grid: { display: false }, border: {}, ticks: { maxRotation: 0, autoSkipPadding: 12 } },
        y: { stacked: true, beginAtZero: true, border: { display: false }, grid: {}, ticks: { maxTicksLimit: 6 } },
      },
      plugins: {
        legend: {
          position: "bottom",
          labels: { usePointStyle: true, boxHeight: 8, padding: 14, sort: (a, b) => a.datasetIndex - b.datasetIndex },
        },
        tooltip: {
          itemSort: (a, b) => a.datasetIndex - b.datasetIndex,
          usePointStyle: true,
          filter: (item) => item.dataset.isList || Number(item.raw) !== 0,
          callbacks: {
            title: (items) => (items.length ? data().titles[items[0].dataIndex] : ""),
            label: (item) => `${item.dataset.label}: ${item.dataset.texts[item.dataIndex]}`,
            footer: (items) => (items.length && data().totals.length ? `In all: ${data().totals[items[0].dataIndex]}` : ""),
          },
        },
      },
    };
  }

  function added() {
    const figure = document.createElement("div");
    figure.className = "chart";
    const canvas = document.createElement("canvas");
    canvas.setAttribute("role", "img");
    figure.append(canvas);
    document.getElementById("charts").append(figure);
    const chart = { figure, canvas, data: null, drawn: null };
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    chart.drawn = new Chart(canvas, { type: "bar", data: { labels: [], datasets: [] }, options: options(chart) });
    return chart;
  }

  function fill(chart, data) {
    const { drawn } = chart;
    chart.data = data;
    chart.canvas.setAttribute("aria-label", data.summary);
    const wanted = data.series.map((series) => ({ ...series, isList: false }));
    if (data.list) wanted.push({ name: "At list prices", ...data.list, isList: true });
    const known = new Map(drawn.data.datasets.map((dataset) => [dataset.key, dataset]));
    drawn.data.labels = data.labels;
    // A dataset that stays is changed in place, so that what the reader points at stays pointed at.
    drawn.data.datasets = wanted.map((series) => {
      const key = `${series.isList ? "list" : "series"} ${series.name}`;
      const dataset = known.get(key) || { key, type: series.isList ? "line" : "bar", isList: series.isList };
      dataset.label = short(series.name);
      dataset.data = series.values.map((value) => (value === null ? null : Number(value)));
      dataset.texts = series.texts;
      return dataset;
    });
    dress(chart);
  }

  /** Colours of the scheme in force; then draw. */
  function dress(chart) {
    const { drawn, data } = chart;
    drawn.data.datasets.forEach((dataset, index) => {
      if (dataset.isList) {
        Object.assign(dataset, {
          stack: "list", order: -1, borderColor: colour("--ink"), backgroundColor: "transparent", borderWidth: 1.5,
          borderDash: [5, 4], pointRadius: 0, pointHitRadius: 0, pointStyle: "line", stepped: "middle",
        });
      } else {
        const own = colour(`--series-${index + 1}`);
        Object.assign(dataset, {
          stack: "paid", backgroundColor: own, hoverBackgroundColor: own, maxBarThickness: 36,
          borderColor: colour("--paper"), borderWidth: { top: 1 }, borderSkipped: false, pointStyle: "rect",
        });
      }
    });
    const { scales, plugins } = drawn.options;
    scales.x.ticks.color = scales.y.ticks.color = colour("--quiet");
    scales.x.border.color = scales.y.grid.color = colour("--edge");
    plugins.legend.labels.color = colour("--ink");
    Object.assign(plugins.tooltip, {
      backgroundColor: colour("--paper"), borderColor: colour("--quiet"), borderWidth: 1, padding: 10,
      titleColor: colour("--ink"), bodyColor: colour("--ink"), footerColor: colour("--ink"),
    });
    scales.y.ticks.callback = ticks(data.unit);
    drawn.update("none");
  }

  function draw() {
    const element = document.getElementById("chart-data");
    const wanted = element ? JSON.parse(element.textContent) : [];
    while (charts.length > wanted.length) {
      const gone = charts.pop();
      gone.drawn.destroy();
      gone.figure.remove();
    }
    wanted.forEach((data, index) => {
      charts[index] = charts[index] || added();
      fill(charts[index], data);
    });
  }

  // --- Parts that change -----------------------------------------------------------------------------------------

  const seen = new Map();
  const opened = new Set();

  function remember(part) {
    if (part && part.id) seen.set(part.id, part.innerHTML);
  }

  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const { target, fragment } = event.detail;
    const next = fragment.firstElementChild;
    if (!next || seen.get(target.id) === next.innerHTML) {
      event.detail.shouldSwap = false; // the same as before: leave selections, scrolling and open details alone
      return;
    }
    target.querySelectorAll("details[id]").forEach((each) => (each.open ? opened.add(each.id) : opened.delete(each.id)));
    seen.set(target.id, next.innerHTML);
    next.querySelectorAll("details[id]").forEach((each) => (each.open = opened.has(each.id)));
  });

  document.addEventListener("htmx:oobAfterSwap", (event) => {
    if (event.detail.target.id === "spend") draw();
  });

  // --- Within a frame: the page around it is told how high we are, and nothing else ---------------------------------

  if (window.parent !== window) {
    new ResizeObserver(() => {
      const height = Math.ceil(document.documentElement.getBoundingClientRect().height);
      window.parent.postMessage({ type: "countinghouse:height", height }, "*");
    }).observe(document.documentElement);
  }

  // --- Live, or not ----------------------------------------------------------------------------------------------

  const say = (words, state) => {
    const line = document.getElementById("live");
    line.className = `live ${state}`;
    document.getElementById("live-words").textContent = words;
  };
  let asOf = "";

  document.addEventListener("portal:live", (event) => {
    asOf = event.detail.asOf;
    say(`Live, as of ${asOf}`, "is-live");
  });

  const away = () => say(`Not live: the server does not answer. What you see is as of ${asOf}; it goes on by itself.`, "is-away");
  document.addEventListener("htmx:sendError", away);
  document.addEventListener("htmx:timeout", away);
  document.addEventListener("htmx:responseError", (event) => {
    const { status } = event.detail.xhr;
    if ([401, 403, 404].includes(status)) location.reload(); // signed out, or no longer allowed: the page says which
    else away();
  });

  // A page that nobody looks at asks nothing; it catches up as soon as it is looked at.
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (document.hidden) event.preventDefault();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && document.getElementById("live")) htmx.trigger("#live", "wake");
  });

  document.addEventListener("DOMContentLoaded", () => {
    const words = document.getElementById("live-words"); // of the page that is live
    if (words) {
      asOf = words.textContent.replace("As of ", "");
      document.getElementById("live").getAttribute("hx-select-oob").split(",").forEach((part) =>
        remember(document.querySelector(part)));
    }
    draw();
    for (const medium of ["(prefers-color-scheme: dark)", "print"]) {
      matchMedia(medium).addEventListener("change", () => charts.forEach(dress));
    }
  });
})();
