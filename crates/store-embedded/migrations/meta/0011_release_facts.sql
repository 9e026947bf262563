-- What people and tools say about releases, the same for every project that has the version.

CREATE TABLE release_facts (
    project_id INTEGER NOT NULL,
    version    TEXT NOT NULL,
    reference  TEXT,
    url        TEXT,
    released   INTEGER,
    started    INTEGER,
    archived   INTEGER NOT NULL,
    PRIMARY KEY (project_id, version)
) STRICT, WITHOUT ROWID;
