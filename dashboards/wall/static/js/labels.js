// Where things go on the map, decided once for a size and a language, so that nothing moves when states change:
// marks that would cover each other are pushed apart, then every label takes the first free place around its mark.

const GAP = 3;

/** Push points apart until no two are nearer than `least`; each stays as near to its place as it can. */
export function spread(points, least, rounds = 60) {
  const at = points.map(({ x, y }) => ({ x, y }));
  for (let round = 0; round < rounds; round += 1) {
    let moved = false;
    for (let i = 0; i < at.length; i += 1) {
      for (let j = i + 1; j < at.length; j += 1) moved = part(at[i], at[j], least, i, j) || moved;
    }
    if (!moved) break;
  }
  return at;
}

function part(a, b, least, i, j) {
  let dx = b.x - a.x;
  let dy = b.y - a.y;
  let apart = Math.hypot(dx, dy);
  if (apart >= least) return false;
  if (apart < 0.01) {
    const turn = (i * 7 + j) * 2.4;
    [dx, dy, apart] = [Math.cos(turn), Math.sin(turn), 1];
  }
  const push = (least - Math.min(apart, least)) / 2 + 0.05;
  a.x -= (dx / apart) * push;
  a.y -= (dy / apart) * push;
  b.x += (dx / apart) * push;
  b.y += (dy / apart) * push;
  return true;
}

const overlaps = (a, b) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

/** Places farther off, for a label that a line joins to its mark. */
export function farCandidates({ x, y }, { w, h }, r) {
  const far = [];
  for (const away of [1.6, 2.4, 3.2, 4.2, 5.2]) {
    for (let turn = 0; turn < 24; turn += 1) {
      const dx = Math.cos((turn * Math.PI) / 12);
      const cy = y + Math.sin((turn * Math.PI) / 12) * away * h - h / 2;
      const edge = x + dx * (r + away * h);
      far.push({ x: dx > 0.2 ? edge : dx < -0.2 ? edge - w : edge - w / 2, y: cy, w, h, rank: 8 * away + Math.abs(turn - 12) * 0.07, far: true });
    }
  }
  return far;
}

export function nearCandidates({ x, y }, { w, h }, r) {
  const side = r + GAP;
  const mid = y - h / 2;
  const at = [
    [x + side, mid], [x - side - w, mid],
    [x + side, mid - h * 0.42], [x + side, mid + h * 0.42], [x - side - w, mid - h * 0.42], [x - side - w, mid + h * 0.42],
    [x - w / 2, y + r], [x - w / 2, y - r - h],
    [x - w * 0.2, y + r], [x - w * 0.8, y + r], [x - w * 0.2, y - r - h], [x - w * 0.8, y - r - h],
    [x + side * 0.8, mid - h * 0.9], [x + side * 0.8, mid + h * 0.9], [x - side * 0.8 - w, mid - h * 0.9], [x - side * 0.8 - w, mid + h * 0.9],
    [x + side, mid - h * 0.8], [x + side, mid + h * 0.8], [x - side - w, mid - h * 0.8], [x - side - w, mid + h * 0.8],
  ];
  return at.map(([left, top], rank) => ({ x: left, y: top, w, h, rank }));
}

/**
 * Boxes `{x, y, w, h}` for the labels, or null where none fits. `marks`: points with radius `r`;
 * `sizes`: `{w, h}` or null for a mark without a label; `bounds`: `{x, y, w, h}`. Labels that are `placed` stay;
 * `candidates` says which places a label may take.
 */
export function placeLabels(marks, sizes, bounds, placed = marks.map(() => null), candidates = nearCandidates) {
  const fixed = marks.map(({ x, y, r }) => ({ x: x - r, y: y - r, w: 2 * r, h: 2 * r }));
  const taken = placed.filter(Boolean);
  const inside = (box) => box.x >= bounds.x && box.y >= bounds.y
    && box.x + box.w <= bounds.x + bounds.w && box.y + box.h <= bounds.y + bounds.h;
  const free = (box, own) => inside(box)
    && !taken.some((other) => overlaps(box, other))
    && !fixed.some((other, index) => index !== own && overlaps(box, other))
    && !(box.far && crosses(marks[own], box, [...taken, ...fixed.filter((_, index) => index !== own)]));
  const open = new Set([...marks.keys()].filter((index) => sizes[index] && !placed[index]));
  while (open.size) {
    const [chosen, fits] = tightest(open, (index) => candidates(marks[index], sizes[index], marks[index].r).filter((box) => free(box, index)));
    if (chosen === null) break;
    const crowd = (box) => [...open].reduce((sum, other) => sum + (other === chosen ? 0 : near(box, marks[other])), box.rank * 0.15);
    placed[chosen] = fits.reduce((a, b) => (crowd(b) < crowd(a) ? b : a));
    taken.push(placed[chosen]);
    open.delete(chosen);
  }
  return placed;
}

/** The end of the line that joins a far label to its mark. */
export function leaderEnd(box, mark) {
  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
  return { x: clamp(mark.x, box.x, box.x + box.w), y: clamp(mark.y, box.y + box.h * 0.2, box.y + box.h * 0.8) };
}

/** Whether that line would run through something. */
function crosses(mark, box, others) {
  const end = leaderEnd(box, mark);
  return Array.from({ length: 14 }, (_, i) => (i + 1) / 15).some((part) => {
    const x = mark.x + (end.x - mark.x) * part;
    const y = mark.y + (end.y - mark.y) * part;
    return others.some((other) => x > other.x && x < other.x + other.w && y > other.y && y < other.y + other.h);
  });
}

/** The open mark with the fewest free places; those without any are given up. */
function tightest(open, freeOf) {
  let [chosen, best] = [null, null];
  for (const index of [...open]) {
    const fits = freeOf(index);
    if (!fits.length) open.delete(index);
    else if (best === null || fits.length < best.length) [chosen, best] = [index, fits];
  }
  return [chosen, best];
}

/** How much a box is in the way of a mark that has no label yet. */
function near(box, mark) {
  const dx = Math.max(box.x - mark.x, 0, mark.x - box.x - box.w);
  const dy = Math.max(box.y - mark.y, 0, mark.y - box.y - box.h);
  return Math.max(0, 1 - Math.hypot(dx, 2 * dy) / (2 * box.h));
}
