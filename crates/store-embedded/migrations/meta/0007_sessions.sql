-- Releases in environments of projects that have sessions; the environment is empty when there is none. The tables below
-- call one of them a place.
CREATE TABLE session_place (
    id          INTEGER PRIMARY KEY,
    project_id  INTEGER NOT NULL,
    release   TEXT NOT NULL,
    environment TEXT NOT NULL,
    UNIQUE (project_id, release, environment)
) STRICT;

-- How each session stands (those of the table session are sign-ins).
CREATE TABLE session_state (
    project_id  INTEGER NOT NULL,
    sid         BLOB NOT NULL,
    place_id    INTEGER NOT NULL,
    started     INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    seq         INTEGER NOT NULL, -- unsigned
    status      INTEGER NOT NULL,
    errors      INTEGER NOT NULL, -- unsigned
    duration_ms INTEGER,
    user_hash   INTEGER,
    is_anr      INTEGER NOT NULL,
    PRIMARY KEY (project_id, sid)
) STRICT, WITHOUT ROWID;
CREATE INDEX session_state_by_start ON session_state (started);

-- Counts by the hour in which the sessions began, since the epoch.
CREATE TABLE session_hour (
    place_id    INTEGER NOT NULL,
    hour        INTEGER NOT NULL,
    sessions    INTEGER NOT NULL,
    errored     INTEGER NOT NULL,
    crashed     INTEGER NOT NULL,
    abnormal    INTEGER NOT NULL,
    unhandled   INTEGER NOT NULL,
    anr         INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL, -- of those in session_duration together
    PRIMARY KEY (place_id, hour)
) STRICT, WITHOUT ROWID;

-- How many sessions were how long, by classes of durations.
CREATE TABLE session_duration (
    place_id INTEGER NOT NULL,
    hour     INTEGER NOT NULL,
    class    INTEGER NOT NULL,
    sessions INTEGER NOT NULL,
    PRIMARY KEY (place_id, hour, class)
) STRICT, WITHOUT ROWID;

-- The same counts of each user.
CREATE TABLE session_user (
    place_id  INTEGER NOT NULL,
    hour      INTEGER NOT NULL,
    user_hash INTEGER NOT NULL,
    sessions  INTEGER NOT NULL,
    errored   INTEGER NOT NULL,
    crashed   INTEGER NOT NULL,
    abnormal  INTEGER NOT NULL,
    unhandled INTEGER NOT NULL,
    anr       INTEGER NOT NULL,
    PRIMARY KEY (place_id, hour, user_hash)
) STRICT, WITHOUT ROWID;

-- The new issues of a release.
CREATE INDEX issue_text_by_first_release ON issue_text (first_release) WHERE first_release IS NOT NULL;
