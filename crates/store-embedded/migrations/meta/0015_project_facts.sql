-- What projects have, so that lists of them need not look through events and traces. The kind is a number (environment 0,
-- transactions 1, logs 2, metrics 3), the name that of the environment, the day (since the epoch) when it was last seen.
CREATE TABLE project_fact (
    project_id INTEGER NOT NULL,
    kind       INTEGER NOT NULL,
    name       TEXT NOT NULL,
    day        INTEGER NOT NULL,
    PRIMARY KEY (project_id, kind, name)
) STRICT, WITHOUT ROWID;

-- Projects that may have been sent something before there was this table. The worker looks it through once.
CREATE TABLE project_to_look_through (
    project_id INTEGER PRIMARY KEY
) STRICT;
INSERT INTO project_to_look_through SELECT id FROM project;

-- The newest release of a project, and whether it has feedback, without going through all releases and issues.
CREATE INDEX release_by_date ON release (project_id, date, version);
CREATE INDEX issue_feedback ON issue (project_id) WHERE type_id = 6001;
