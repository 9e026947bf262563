-- Items that count once, to recognise repetitions: the category (as in the table outcome), and the record that brought
-- the first.
CREATE TABLE seen_item (
    project_id INTEGER NOT NULL,
    category   INTEGER NOT NULL,
    id         BLOB NOT NULL,
    received   INTEGER NOT NULL,
    topic      INTEGER NOT NULL,
    partition  INTEGER NOT NULL,
    "offset"   INTEGER NOT NULL,
    PRIMARY KEY (project_id, category, id)
) STRICT, WITHOUT ROWID;

-- Monitors of scheduled jobs; config is JSON.
CREATE TABLE monitor (
    id         BLOB PRIMARY KEY,
    project_id INTEGER NOT NULL,
    slug       TEXT NOT NULL,
    config     TEXT NOT NULL,
    created    INTEGER NOT NULL,
    UNIQUE (project_id, slug)
) STRICT, WITHOUT ROWID;

-- Runs of their jobs; status: 0 unknown, 1 ok, 2 error, 3 in progress, 4 missed, 5 timeout.
CREATE TABLE monitor_run (
    project_id  INTEGER NOT NULL,
    id          BLOB NOT NULL,
    monitor_id  BLOB NOT NULL REFERENCES monitor (id) ON DELETE CASCADE,
    environment TEXT NOT NULL,
    status      INTEGER NOT NULL,
    duration_ms INTEGER,
    added       INTEGER NOT NULL,
    updated     INTEGER NOT NULL,
    begun       INTEGER,
    release     TEXT,
    trace_id    BLOB,
    PRIMARY KEY (project_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX monitor_run_added ON monitor_run (monitor_id, added, id);
CREATE INDEX monitor_run_environment ON monitor_run (monitor_id, environment, added, id);
