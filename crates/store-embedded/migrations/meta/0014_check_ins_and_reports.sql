-- Check-ins that wait for their monitor to be described: since when, and what they are, as JSON.
CREATE TABLE waiting_check_in (
    number     INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL,
    slug       TEXT NOT NULL,
    since      INTEGER NOT NULL,
    check_in   TEXT NOT NULL
) STRICT;

CREATE INDEX waiting_check_in_monitor ON waiting_check_in (project_id, slug);
CREATE INDEX waiting_check_in_since ON waiting_check_in (since);
