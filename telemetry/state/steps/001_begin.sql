-- The first tables. Times are ns since the Unix epoch; `body` is the JSON of the struct of that name.
CREATE TABLE revision (number INTEGER NOT NULL);
INSERT INTO revision VALUES (0);

CREATE TABLE presence (
    site TEXT NOT NULL,
    probe TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (site, probe)
) WITHOUT ROWID;
CREATE TABLE offline (
    site TEXT NOT NULL,
    probe TEXT NOT NULL,
    from_ns INTEGER NOT NULL,
    until_ns INTEGER,           -- NULL while it lasts
    PRIMARY KEY (site, probe, from_ns)
) WITHOUT ROWID;

CREATE TABLE flag_spell (
    id INTEGER PRIMARY KEY,
    site TEXT NOT NULL,
    path TEXT NOT NULL,
    code TEXT NOT NULL,
    raised_ns INTEGER NOT NULL,
    cleared_ns INTEGER,         -- NULL while it is open
    since_ns INTEGER NOT NULL,
    body TEXT NOT NULL
);
CREATE UNIQUE INDEX flag_open ON flag_spell (site, path, code) WHERE cleared_ns IS NULL;
CREATE INDEX flag_by_time ON flag_spell (since_ns);

CREATE TABLE verdict (
    site TEXT NOT NULL,
    meeting TEXT NOT NULL,
    occurrence_ns INTEGER NOT NULL,
    starts_ns INTEGER NOT NULL,
    voided_ns INTEGER,
    body TEXT NOT NULL,
    PRIMARY KEY (site, meeting, occurrence_ns)
) WITHOUT ROWID;
CREATE INDEX verdict_by_start ON verdict (starts_ns);
CREATE INDEX verdict_by_meeting ON verdict (meeting, occurrence_ns);

CREATE TABLE forecast (
    id INTEGER PRIMARY KEY,
    site TEXT NOT NULL,
    meeting TEXT NOT NULL,
    occurrence_ns INTEGER NOT NULL,
    horizon TEXT NOT NULL,
    starts_ns INTEGER NOT NULL,
    voided_ns INTEGER,
    body TEXT NOT NULL
);
CREATE UNIQUE INDEX forecast_once ON forecast (site, meeting, occurrence_ns, horizon) WHERE voided_ns IS NULL;
CREATE INDEX forecast_by_start ON forecast (starts_ns);
CREATE INDEX forecast_by_meeting ON forecast (meeting, occurrence_ns);
CREATE TABLE outcome (
    site TEXT NOT NULL,
    meeting TEXT NOT NULL,
    occurrence_ns INTEGER NOT NULL,
    starts_ns INTEGER NOT NULL,
    final INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (site, meeting, occurrence_ns)
) WITHOUT ROWID;
CREATE INDEX outcome_by_start ON outcome (starts_ns);

CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    channel TEXT NOT NULL,
    recipient TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    due_ns INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    sent_ns INTEGER,
    error TEXT NOT NULL DEFAULT ''
);
CREATE INDEX outbox_due ON outbox (due_ns) WHERE sent_ns IS NULL;

CREATE TABLE plan (
    site TEXT NOT NULL,
    probe TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (site, probe)
) WITHOUT ROWID;

CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY,
    received_ns INTEGER NOT NULL,
    topic TEXT NOT NULL,
    reason TEXT NOT NULL,
    payload BLOB NOT NULL
);

CREATE TABLE heartbeat (
    role TEXT PRIMARY KEY,
    at_ns INTEGER NOT NULL,
    body TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE lease (
    role TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    until_ns INTEGER NOT NULL
) WITHOUT ROWID;
