// One stop of the Tab key for many links: the arrow keys go to the nearest one in that direction.

const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

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

function nearest(links, here, [dx, dy]) {
  const [x, y] = middle(links[here]);
  let [best, least] = [null, Infinity];
  for (const link of links) {
    if (link === links[here]) continue;
    const [lx, ly] = middle(link);
    const ahead = (lx - x) * dx + (ly - y) * dy;
    const aside = Math.abs((lx - x) * dy) + Math.abs((ly - y) * dx);
    const cost = ahead + 2.5 * aside;
    if (ahead > 1 && cost < least) [best, least] = [link, cost];
  }
  return best;
}
