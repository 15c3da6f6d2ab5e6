-- Rehearsals: what was asked for, what is going on, what came of it. One at a time for the whole hub.
CREATE TABLE rehearsal (
    id TEXT PRIMARY KEY,
    asking_key TEXT NOT NULL UNIQUE,
    hub TEXT NOT NULL DEFAULT 'hub',
    meeting TEXT NOT NULL,
    recurrence_ns INTEGER NOT NULL,
    asked_ns INTEGER NOT NULL,
    stop_ns INTEGER,
    ended_ns INTEGER,
    body TEXT NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX rehearsal_open ON rehearsal (hub) WHERE ended_ns IS NULL;
CREATE INDEX rehearsal_by_time ON rehearsal (asked_ns);

CREATE TABLE rehearsal_office (
    id TEXT NOT NULL,
    site TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (id, site)
) WITHOUT ROWID;
