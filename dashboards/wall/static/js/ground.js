// The ground of the maps: paths of the cells that the offices have, and the lines where two groups of them meet.

/** A closed path through `x, y` pairs. */
export const pathOf = (flat) => `M${Array.from({ length: flat.length / 2 }, (_, i) => `${flat[2 * i]} ${flat[2 * i + 1]}`).join("L")}Z`;

/** One path of all edges that cells of two groups share; `groupOf` names an office's group. */
export function borders(scene, groupOf) {
  const owners = new Map();
  const found = [];
  scene.offices.forEach((office, i) => {
    const flat = scene.cells[i];
    const group = groupOf(office);
    for (let k = 0; k < flat.length; k += 2) {
      const next = (k + 2) % flat.length;
      const [here, there] = [`${flat[k]} ${flat[k + 1]}`, `${flat[next]} ${flat[next + 1]}`];
      const key = here < there ? `${here} ${there}` : `${there} ${here}`;
      if (owners.has(key) && owners.get(key) !== group) found.push(`M${here}L${there}`);
      owners.set(key, group);
    }
  });
  return found.join("");
}
