// Where the meetings of a day stand in its strip: a lane for each bar, and its words beside it. Lengths in px.
// Every meeting has room for its time, state and count; a title is cut only on a day with so many meetings that the lanes
// would take the map's room.

const LEAST_LANES = 3;
const MOST_LANES = 8;
/** What a seat costs (px) without cutting a title. */
const UNCUT = 2;

/**
 * Seats for bars in the order of their start: `{from, until, words, full}`, where a bar begins and ends, what time,
 * state and count take beside it, and what they take with the whole title. Gives for each `{lane, side, room}`, its
 * words `after`, `before` or `inside` the bar; null for what even the last lane has no room for.
 */
export function seatsOf(bars, width) {
  const lanes = Array.from({ length: LEAST_LANES }, () => []);
  const seats = bars.map((bar) => {
    let seat = cheapest(lanes.map((lane, index) => seatIn(lane, index, bar, width)));
    if (lanes.length < MOST_LANES && !(seat?.cost <= UNCUT)) {
      const fresh = cheapest([seat, seatIn([], lanes.length, bar, width)]);
      if (fresh !== seat || !seat) lanes.push([]);
      seat = fresh;
    }
    if (seat) lanes[seat.lane].push(seat);
    return seat;
  });
  for (const lane of lanes) shareRoom(lane, width);
  return { seats, lanes: lanes.length };
}

/** The seat behind the last one of a lane, with what it costs titles; null when time and count do not fit there. */
function seatIn(lane, index, bar, width) {
  const last = lane.at(-1);
  const free = last?.end ?? 0;
  const wanted = last?.side === "after" ? last.bar.until + last.bar.full : free;
  const cost = (begin, room) => Math.max(0, wanted - begin) + Math.max(0, bar.full - room);
  const choices = [];
  if (bar.from >= free && bar.until + bar.words <= width) {
    choices.push({ side: "after", begin: bar.from, end: bar.until + bar.words, cost: cost(bar.from, width - bar.until) });
  }
  if (bar.from - bar.words >= free) {
    const room = Math.max(bar.words, bar.from - wanted);
    choices.push({ side: "before", begin: bar.from - bar.words, end: bar.until, cost: cost(bar.from - bar.words, room) + 1 });
  }
  if (bar.from >= free && bar.until - bar.from >= bar.words) {
    choices.push({ side: "inside", begin: bar.from, end: bar.until, cost: cost(bar.from, bar.until - bar.from) + 2 });
  }
  const chosen = cheapest(choices);
  return chosen && { ...chosen, lane: index, bar };
}

/** The first of those that cost least. */
const cheapest = (seats) => seats.reduce((best, one) => (one && (!best || one.cost < best.cost) ? one : best), null);

/** Give each seat of a lane what is free on the side of its words, up to its whole title. */
function shareRoom(lane, width) {
  let free = 0;
  lane.forEach((seat, index) => {
    const { bar } = seat;
    const end = { after: lane[index + 1]?.begin ?? width, before: bar.from, inside: bar.until }[seat.side];
    const start = { after: bar.until, before: free, inside: bar.from }[seat.side];
    seat.room = Math.min(bar.full, end - start);
    free = seat.side === "after" ? bar.until + seat.room : bar.until;
  });
}
