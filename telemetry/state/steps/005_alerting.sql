-- Alerts and silences as they stand, and an outbox that knows whom, by which template, until when, and what was given up.
CREATE TABLE alert (
    id TEXT PRIMARY KEY,
    subject TEXT NOT NULL,
    state TEXT NOT NULL,
    pending_ns INTEGER NOT NULL,
    resolved_ns INTEGER,
    body TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX alert_by_time ON alert (pending_ns);
CREATE UNIQUE INDEX alert_open ON alert (subject) WHERE resolved_ns IS NULL;

CREATE TABLE silence (
    id TEXT PRIMARY KEY,
    until_ns INTEGER NOT NULL,
    body TEXT NOT NULL
) WITHOUT ROWID;

ALTER TABLE outbox ADD COLUMN person TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN template TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN variables TEXT NOT NULL DEFAULT '[]';
ALTER TABLE outbox ADD COLUMN put_ns INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN expires_ns INTEGER;
ALTER TABLE outbox ADD COLUMN urgent INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN alert TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN dead_ns INTEGER;
CREATE INDEX outbox_by_person ON outbox (person, sent_ns);
CREATE INDEX outbox_by_alert ON outbox (alert) WHERE alert != '';

CREATE TABLE outbox_file (
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (key, name)
) WITHOUT ROWID;
