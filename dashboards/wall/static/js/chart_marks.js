// Marks behind the curves: meetings as tinted spans with their names on top, flags as a line along the bottom,
// losses of contact hatched.

import { clock } from "./format.js";
import { nameOf } from "./words.js";

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** `named`: with the names of the meetings. */
export function drawMarks(plot, marks, path, named) {
  const { ctx, bbox } = plot;
  const right = bbox.left + bbox.width;
  const at = (timeMs) => Math.min(right, Math.max(bbox.left, plot.valToPos(timeMs / 1000, "x", true)));
  ctx.save();
  for (const mark of marks ?? []) {
    if (mark.path && mark.path !== path) continue;
    const from = at(mark.from_ms);
    const until = mark.until_ms === undefined ? right : at(mark.until_ms);
    const width = Math.max(2 * devicePixelRatio, until - from);
    DRAW[mark.kind]?.(ctx, bbox, from, width, mark, named);
  }
  ctx.restore();
}

const DRAW = {
  meeting(ctx, bbox, x, width, mark, named) {
    ctx.fillStyle = color("--mark-meeting");
    ctx.fillRect(x, bbox.top, width, bbox.height);
    const scale = devicePixelRatio;
    if (!named || width < 44 * scale) return;
    ctx.fillStyle = color("--muted");
    ctx.font = `${11 * scale}px 'Noto Sans', 'Noto Sans Devanagari', sans-serif`;
    const text = fitted(ctx, clock(mark.from_ms), nameOf(mark), width - 8 * scale);
    if (text) ctx.fillText(text, x + 4 * scale, bbox.top + 13 * scale);
  },
  offline(ctx, bbox, x, width) {
    ctx.fillStyle = color("--mark-offline");
    ctx.fillRect(x, bbox.top, width, bbox.height);
  },
  flag(ctx, bbox, x, width) {
    ctx.fillStyle = color("--not_ready");
    const tall = 4 * devicePixelRatio;
    ctx.fillRect(x, bbox.top + bbox.height - tall, width, tall);
  },
};

/** The time with as many whole words of the name as fit, an ellipsis for the rest; the time alone; or nothing. */
function fitted(ctx, time, name, room) {
  const words = name.split(" ");
  for (let kept = words.length; kept > 0; kept -= 1) {
    const text = `${time} ${words.slice(0, kept).join(" ").replace(/[,·–-]$/, "")}${kept < words.length ? "…" : ""}`;
    if (ctx.measureText(text).width <= room) return text;
  }
  return ctx.measureText(time).width <= room ? time : "";
}
