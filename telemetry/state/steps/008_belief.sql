-- How far a probe is still believed when it puts bad windows down to its own trouble, so that a restart forgives nothing.
CREATE TABLE belief (
    site TEXT NOT NULL,
    path TEXT NOT NULL,
    at_ns INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (site, path)
) WITHOUT ROWID;
