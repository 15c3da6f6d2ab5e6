-- From when to when history of other tools was imported of an office: nothing is expected of such a source before it began and after it ended.
CREATE TABLE imported (
    site TEXT NOT NULL,
    from_ns INTEGER NOT NULL,
    until_ns INTEGER NOT NULL,
    PRIMARY KEY (site, from_ns)
) WITHOUT ROWID;
