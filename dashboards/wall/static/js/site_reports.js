// The raw reports behind a point: the items of each as a table, and all of it as it is stored.

import { h, setText } from "./dom.js";
import { clockSeconds, ms, percent, rate } from "./format.js";
import { stepText } from "./chart_cursor.js";
import { say } from "./words.js";

const LONGEST_MS = 3600_000;
const COLUMNS = ["item", "sent", "loss_up", "loss_down", "rtt", "jitter_up", "jitter_down", "bitrate"];

export function createReports({ closed }) {
  const heading = h("h3", { tabindex: "-1" });
  const close = h("button", { type: "button", onclick: () => { hide(); closed(); } });
  const body = h("div");
  const element = h("section", { class: "site-reports", hidden: true }, h("div", { class: "reports-head" }, heading, close), body);
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    close.click();
  });
  let asked = null;

  /** Fetch and show what is behind a step; `focus` when a person asked for it just now. */
  async function show(site, at, stepMs, focus) {
    if (!focus && asked && asked.site === site && asked.at === at && asked.stepMs === stepMs) return; // it stands already
    const mine = { site, at, stepMs };
    asked = mine;
    element.hidden = false;
    setText(heading, say("site.reports", { when: stepText(at, stepMs) }));
    setText(close, say("wall.close"));
    body.replaceChildren(h("p", { class: "nothing" }, say("wall.loading")));
    if (focus) heading.focus();
    const query = new URLSearchParams({ from: at, to: at + Math.min(stepMs, LONGEST_MS) });
    const answer = await fetch(`/api/site/${encodeURIComponent(site)}/reports?${query}`).catch(() => null);
    const found = answer?.ok ? await answer.json() : null;
    if (asked !== mine) return;
    body.replaceChildren(...(found ? content(found) : [h("p", { class: "nothing" }, say("site.reports_failed"))]));
    if (focus) element.scrollIntoView({ block: "nearest" });
  }

  function hide() {
    asked = null;
    element.hidden = true;
    body.replaceChildren();
  }
  return { element, show, hide };
}

function content(found) {
  const entries = [
    ...found.reports.map(({ start_ms: start, report }) => ({ how: "whole", start, probe: `${report.probe} · ${report.seq}`, rows: report.items.map(rowOfItem), json: report })),
    ...found.windows.map((row) => ({ how: "row", start: row.start_ms, probe: row.probe, rows: [rowOfColumns(row)], json: row })),
    ...found.items.map((one) => ({ how: "item", start: one.start_ms, probe: one.probe, rows: [rowOfItem(one.item)], json: one.item })),
    ...found.rollups.map((row) => ({ how: "rollup", start: row.start_ms, probe: row.probe, rows: [rowOfColumns(row)], json: row })),
  ];
  if (!entries.length) return [h("p", { class: "nothing" }, say("site.reports_none"))];
  const ways = [...new Set(entries.map(({ how }) => how))].map((how) => say(`site.stored_${how}`));
  return [
    h("p", { class: "source" }, [...ways, found.left_out ? say("site.reports_more", { n: found.left_out }) : ""].filter(Boolean).join(" ")),
    h("div", { class: "table-frame", tabindex: "0", role: "region", "aria-label": say("site.reports_table") }, h("table", { class: "reports-table" },
      h("thead", {}, h("tr", {}, ["when", ...COLUMNS].map((name) => h("th", { scope: "col" }, say(`site.column_${name}`))))),
      h("tbody", {}, entries.flatMap(({ start, probe, rows }) => rows.map((row) => h("tr", {}, h("th", { scope: "row" }, `${clockSeconds(start)} · ${probe}`), cells(row))))))),
    ...entries.map(({ start, probe, json }) => wholeText(`${clockSeconds(start)} · ${probe} · JSON`, json)),
  ];
}

const cells = (row) => (row.other ? h("td", { colspan: COLUMNS.length }, row.other) : COLUMNS.map((name) => h("td", {}, row[name] ?? "–")));

/** The text is made when it is first opened. */
function wholeText(title, json) {
  const text = h("pre", { tabindex: "0", role: "region", "aria-label": title });
  const element = h("details", {}, h("summary", {}, title), text);
  element.addEventListener("toggle", () => { if (element.open && !text.textContent) text.textContent = JSON.stringify(json, null, 1); });
  return element;
}

const shown = (format, value) => (value === undefined || value === null ? undefined : format(value));
const ratio = (lost, sent) => (sent ? percent((lost ?? 0) / sent) : undefined);

function rowOfItem(item) {
  if (item.type !== "stream") {
    const { type, ...rest } = item;
    return { other: `${type}: ${Object.entries(rest).map(([name, value]) => `${name} ${typeof value === "object" ? JSON.stringify(value) : value}`).join(", ")}` };
  }
  return {
    item: `stream ${item.path}`, sent: item.sent, loss_up: ratio(item.up.lost, item.up.sent), loss_down: ratio(item.down.lost, item.down.sent),
    rtt: shown(ms, item.rtt?.p50_ms), jitter_up: shown(ms, item.up.jitter_ms), jitter_down: shown(ms, item.down.jitter_ms), bitrate: shown(rate, item.up.bitrate_bps),
  };
}

function rowOfColumns({ path, values }) {
  return {
    item: `stream ${path}`, sent: values.sent, loss_up: ratio(values.up_lost, values.up_sent), loss_down: ratio(values.down_lost, values.down_sent),
    rtt: shown(ms, values.rtt_p50_ms), jitter_up: shown(ms, values.up_jitter_ms), jitter_down: shown(ms, values.down_jitter_ms), bitrate: shown(rate, values.up_bitrate_bps),
  };
}
