// Marks behind the curves: meetings as tinted spans with their names on top, rehearsals tinted, time without a report hatched,
// losses of contact tinted, flags as a line along the bottom, shared faults along the top, moved levels as broken lines.

import { clock, ms, percent } from "./format.js";
import { nameOf } from "./words.js";

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const ORDER = ["gap", "offline", "dropped", "meeting", "rehearsal", "incident", "flag"];

/** Everything that happened, on the chart `name`; names of meetings only on the first one. */
export function drawMarks(plot, { series, past }, name) {
  const { ctx, bbox } = plot;
  const right = bbox.left + bbox.width;
  const at = (timeMs) => Math.min(right, Math.max(bbox.left, plot.valToPos(timeMs / 1000, "x", true)));
  const { min, max } = plot.scales.x;
  const marks = (series.marks ?? []).filter((mark) => (!mark.path || mark.path === series.path)
    && mark.from_ms < max * 1000 && (mark.until_ms === undefined || mark.until_ms > min * 1000));
  ctx.save();
  ctx.textAlign = "left"; // whatever the axes left behind
  ctx.textBaseline = "alphabetic";
  for (const kind of ORDER) {
    for (const mark of marks.filter((one) => one.kind === kind)) {
      const from = at(mark.from_ms);
      const until = mark.until_ms === undefined ? right : at(mark.until_ms);
      DRAW[kind](ctx, bbox, from, Math.max(2 * devicePixelRatio, until - from), mark, name === "loss");
    }
  }
  let taken = 0; // labels do not lie on one another: the list below the charts has them all
  for (const move of past?.moves ?? []) {
    if (move.at_ms > min * 1000 && move.at_ms < max * 1000) taken = drawMove(ctx, bbox, at(move.at_ms), move, move.metric === name, taken);
  }
  ctx.restore();
}

const tinted = (variable) => (ctx, bbox, x, width) => {
  ctx.fillStyle = color(variable);
  ctx.fillRect(x, bbox.top, width, bbox.height);
};

const DRAW = {
  meeting(ctx, bbox, x, width, mark, named) {
    tinted("--mark-meeting")(ctx, bbox, x, width);
    const scale = devicePixelRatio;
    if (!named || width < 44 * scale) return;
    ctx.fillStyle = color("--muted");
    ctx.font = `${11 * scale}px 'Noto Sans', 'Noto Sans Devanagari', sans-serif`;
    const text = fitted(ctx, clock(mark.from_ms), nameOf(mark), width - 8 * scale);
    if (text) ctx.fillText(text, x + 4 * scale, bbox.top + 13 * scale);
  },
  rehearsal: tinted("--mark-rehearsal"),
  offline: tinted("--mark-offline"),
  gap: hatched,
  dropped: hatched,
  incident(ctx, bbox, x, width) {
    ctx.fillStyle = color("--at_risk");
    ctx.fillRect(x, bbox.top, width, 4 * devicePixelRatio);
  },
  flag(ctx, bbox, x, width) {
    ctx.fillStyle = color("--not_ready");
    const tall = 4 * devicePixelRatio;
    ctx.fillRect(x, bbox.top + bbox.height - tall, width, tall);
  },
};

/** Nothing is known of this time. */
function hatched(ctx, bbox, x, width) {
  const step = 7 * devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(x, bbox.top, width, bbox.height);
  ctx.clip();
  ctx.strokeStyle = color("--mark-gap");
  ctx.lineWidth = devicePixelRatio;
  ctx.beginPath();
  for (let start = x - bbox.height - ((x - bbox.height) % step); start < x + width; start += step) {
    ctx.moveTo(start, bbox.top + bbox.height);
    ctx.lineTo(start + bbox.height, bbox.top);
  }
  ctx.stroke();
  ctx.restore();
}

/** A moved level: a broken line, and on the chart of its own figure the levels before and after where there is room right of `taken`. */
function drawMove(ctx, bbox, x, move, own, taken) {
  const scale = devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = color("--mark-change");
  ctx.globalAlpha = own ? 1 : 0.35;
  ctx.lineWidth = 1.5 * scale;
  ctx.setLineDash([6 * scale, 4 * scale]);
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  const end = own ? drawLevels(ctx, bbox, x, moveText(move), taken) : taken;
  ctx.restore();
  return end;
}

function drawLevels(ctx, bbox, x, text, taken) {
  const scale = devicePixelRatio;
  ctx.font = `600 ${11 * scale}px 'Noto Sans', 'Noto Sans Devanagari', sans-serif`;
  const wide = ctx.measureText(text).width;
  const left = x + wide + 12 * scale > bbox.left + bbox.width ? x - wide - 6 * scale : x + 6 * scale;
  if (left < taken) return taken;
  ctx.fillStyle = color("--mark-change");
  ctx.fillText(text, left, bbox.top + 18 * scale);
  return left + wide + 8 * scale;
}

/** The levels before and after. */
export function moveText({ metric, before, after }) {
  const shown = metric === "loss" ? percent : ms;
  return `${shown(before)} → ${shown(after)}`;
}

/** The time with as many whole words of the name as fit, an ellipsis for the rest; the time alone; or nothing. */
function fitted(ctx, time, name, room) {
  const words = name.split(" ");
  for (let kept = words.length; kept > 0; kept -= 1) {
    const text = `${time} ${words.slice(0, kept).join(" ").replace(/[,·–-]$/, "")}${kept < words.length ? "…" : ""}`;
    if (ctx.measureText(text).width <= room) return text;
  }
  return ctx.measureText(time).width <= room ? time : "";
}
