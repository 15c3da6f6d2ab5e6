// Addresses: `#/` the wall, `#/meetings`, `#/meeting/<uid>/<recurrence>`, `#/incidents`, `#/incidents/<id>`,
// `#/site/<id>?range=6h&path=main.state` or `?from=&to=`.

export const hrefMeeting = (meeting) => `#/meeting/${encodeURIComponent(meeting.uid)}/${meeting.recurrence}`;

/** Address of a meeting by its key in the picture (UID, a space, recurrence). */
export function hrefMeetingKey(key) {
  const space = key.lastIndexOf(" ");
  return hrefMeeting({ uid: key.slice(0, space), recurrence: key.slice(space + 1) });
}

export const hrefIncident = (id) => `#/incidents/${encodeURIComponent(id)}`;

export function hrefSite(id, query = {}) {
  const text = new URLSearchParams(query).toString();
  return `#/site/${encodeURIComponent(id)}${text ? `?${text}` : ""}`;
}

/** The address as `{page, ...}`; anything unknown is the wall. */
export function parse(hash) {
  const [path, query = ""] = hash.replace(/^#/, "").split("?");
  const [page, first, second] = path.split("/").filter(Boolean).map(decode);
  if (page === "meeting" && first && second) return { page, uid: first, recurrence: second };
  if (page === "meetings" && !first) return { page };
  if (page === "incidents" && !second) return { page, id: first ?? "" };
  if (page === "site" && first) return { page, id: first, query: new URLSearchParams(query) };
  return { page: "wall" };
}

function decode(part) {
  try { return decodeURIComponent(part); } catch { return part; }
}
