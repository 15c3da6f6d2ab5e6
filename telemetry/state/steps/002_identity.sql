-- Who may speak: credentials, one-time tokens, commands and the record of who did what. No secret is kept here:
-- passwords and keys follow from `salt` and a key that lies beside the hub's certificates.
CREATE TABLE credential (
    site TEXT NOT NULL,
    probe TEXT NOT NULL,
    generation INTEGER NOT NULL,
    user TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    salt BLOB NOT NULL,
    ssid INTEGER NOT NULL,
    issued_ns INTEGER NOT NULL,
    expires_ns INTEGER NOT NULL,    -- of no use any more if it was not taken by then
    taken_ns INTEGER,
    confirmed_ns INTEGER,
    ended_ns INTEGER,
    ended_why TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (site, probe, generation)
) WITHOUT ROWID;

CREATE TABLE enrolment_token (
    hash BLOB PRIMARY KEY,
    site TEXT NOT NULL,
    probe TEXT NOT NULL,
    generation INTEGER NOT NULL,
    issued_ns INTEGER NOT NULL,
    expires_ns INTEGER NOT NULL,
    redeemed_ns INTEGER,
    nonce_hash BLOB
) WITHOUT ROWID;

CREATE TABLE command (
    id TEXT PRIMARY KEY,
    site TEXT NOT NULL,
    probe TEXT NOT NULL,
    who TEXT NOT NULL,
    issued_ns INTEGER NOT NULL,
    expires_ns INTEGER NOT NULL,
    sent_ns INTEGER,
    answered_ns INTEGER,
    ok INTEGER,
    detail TEXT NOT NULL DEFAULT '',
    body TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX command_by_time ON command (issued_ns);
CREATE INDEX command_waiting ON command (expires_ns) WHERE sent_ns IS NULL;

CREATE TABLE identity_event (
    id INTEGER PRIMARY KEY,
    at_ns INTEGER NOT NULL,
    who TEXT NOT NULL,
    what TEXT NOT NULL,
    site TEXT NOT NULL,
    probe TEXT NOT NULL,
    detail TEXT NOT NULL DEFAULT ''
);
