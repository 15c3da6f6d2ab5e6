// One stop of the Tab key for many links: the arrow keys go to the nearest one in that direction.

export const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Make `links` one tab stop within `container`. */
export function roam(container, links) {
  const enter = (chosen) => {
    for (const link of links) link.setAttribute("tabindex", link === chosen ? "0" : "-1");
  };
  const kept = links.find((link) => link === document.activeElement);
  enter(kept ?? links[0]);
  for (const link of links) link.addEventListener("focus", () => enter(link));
  container.onkeydown = (event) => {
    const direction = DIRECTIONS[event.key];
    const here = links.indexOf(document.activeElement);
    if (!direction || here < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = nearest(links, here, direction);
    if (next) {
      event.preventDefault();
      next.focus();
    }
  };
}

function middle(element) {
  const box = (element.querySelector(".shape") ?? element).getBoundingClientRect();
  return [box.left + box.width / 2, box.top + box.height / 2];
}

const nearest = (links, here, direction) => cheapest(links, here, middle, direction);

/** The one of `items` that is nearest to `items[here]` in a direction, what lies aside counting for more; null when there is none. */
export function cheapest(items, here, where, [dx, dy]) {
  const [x, y] = where(items[here]);
  let [best, least] = [null, Infinity];
  for (const item of items) {
    if (item === items[here]) continue;
    const [ix, iy] = where(item);
    const ahead = (ix - x) * dx + (iy - y) * dy;
    const aside = Math.abs((ix - x) * dy) + Math.abs((iy - y) * dx);
    const cost = ahead + 2.5 * aside;
    if (ahead > 1 && cost < least) [best, least] = [item, cost];
  }
  return best;
}
