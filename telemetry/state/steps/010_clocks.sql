-- When each boot of an office's machine began by the hub's clock, so that its reports are dated right over restarts of collectors.
CREATE TABLE boot (
    site TEXT NOT NULL,
    probe TEXT NOT NULL,
    boot TEXT NOT NULL,
    at_ns INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (site, probe, boot)
) WITHOUT ROWID;
CREATE INDEX boot_by_time ON boot (at_ns);
-- The clock of a probe that is wrong, or was: by how much it is ahead (negative: behind), since when, until when.
CREATE TABLE wrong_clock (
    site TEXT NOT NULL,
    probe TEXT NOT NULL,
    ahead_ns INTEGER NOT NULL,
    since_ns INTEGER NOT NULL,
    at_ns INTEGER NOT NULL,
    until_ns INTEGER,
    PRIMARY KEY (site, probe)
) WITHOUT ROWID;
