-- Faults that several offices share, as they were told; one row each, changed until it is over.
CREATE TABLE incident (
    id TEXT PRIMARY KEY,
    factor TEXT NOT NULL,
    since_ns INTEGER NOT NULL,
    until_ns INTEGER,
    body TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX incident_by_time ON incident (since_ns);
CREATE INDEX incident_open ON incident (until_ns) WHERE until_ns IS NULL;
