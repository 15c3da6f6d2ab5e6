-- Who may look and act: users, sessions, links for the big screen; and who has taken up an incident.
CREATE TABLE user (
    name TEXT PRIMARY KEY,
    role INTEGER NOT NULL,
    secret TEXT NOT NULL,
    made_ns INTEGER NOT NULL,
    changed_ns INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE session (
    hash BLOB PRIMARY KEY,
    user TEXT NOT NULL REFERENCES user (name) ON DELETE CASCADE,
    source TEXT NOT NULL,
    made_ns INTEGER NOT NULL,
    seen_ns INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX session_by_user ON session (user, made_ns);

CREATE TABLE wall_link (
    id TEXT PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    label TEXT NOT NULL,
    made_by TEXT NOT NULL,
    made_ns INTEGER NOT NULL,
    until_ns INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE incident_mark (
    id INTEGER PRIMARY KEY,
    incident TEXT NOT NULL,
    at_ns INTEGER NOT NULL,
    who TEXT NOT NULL,
    note TEXT NOT NULL
);
CREATE INDEX incident_mark_by_incident ON incident_mark (incident);
