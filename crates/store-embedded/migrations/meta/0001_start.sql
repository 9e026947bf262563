-- Accounts. Secrets are kept as SHA-256 hashes, times as microseconds since the epoch.
CREATE TABLE user (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    email         TEXT NOT NULL,
    email_lower   TEXT NOT NULL UNIQUE,
    name          TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    created       INTEGER NOT NULL
) STRICT;

CREATE TABLE session (
    secret  BLOB PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES user (id),
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_by_user ON session (user_id);

CREATE TABLE token (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    secret          BLOB NOT NULL UNIQUE,
    last_characters TEXT NOT NULL,
    user_id         INTEGER NOT NULL REFERENCES user (id),
    name            TEXT NOT NULL,
    scopes          TEXT NOT NULL, -- JSON array
    created         INTEGER NOT NULL
) STRICT;
CREATE INDEX token_by_user ON token (user_id);

-- At most one row.
CREATE TABLE setup_link (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    secret  BLOB NOT NULL,
    expires INTEGER NOT NULL
) STRICT;

-- What intake, worker and the pages are configured by. Every write to these tables raises config_version, but for
-- project_token, which is asked for each time.
CREATE TABLE organization (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    slug     TEXT NOT NULL UNIQUE,
    name     TEXT NOT NULL,
    created  INTEGER NOT NULL,
    features TEXT NOT NULL DEFAULT '[]' -- JSON array
) STRICT;

CREATE TABLE team (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    organization_id INTEGER NOT NULL REFERENCES organization (id),
    slug            TEXT NOT NULL,
    name            TEXT NOT NULL,
    UNIQUE (organization_id, slug)
) STRICT;

CREATE TABLE member (
    organization_id INTEGER NOT NULL REFERENCES organization (id),
    user_id         INTEGER NOT NULL REFERENCES user (id),
    role            TEXT NOT NULL,
    PRIMARY KEY (organization_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX member_by_user ON member (user_id);

CREATE TABLE project (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    organization_id INTEGER NOT NULL REFERENCES organization (id),
    slug            TEXT NOT NULL,
    name            TEXT NOT NULL,
    platform        TEXT,
    created         INTEGER NOT NULL,
    last_short_id   INTEGER NOT NULL DEFAULT 0,
    resolve_age_hours INTEGER,
    UNIQUE (organization_id, slug)
) STRICT;

CREATE TABLE project_key (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL REFERENCES project (id),
    name       TEXT NOT NULL,
    public     BLOB NOT NULL UNIQUE,
    is_active  INTEGER NOT NULL,
    created    INTEGER NOT NULL
) STRICT;
CREATE INDEX project_key_by_project ON project_key (project_id);

CREATE TABLE project_token (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    secret          BLOB NOT NULL UNIQUE,
    last_characters TEXT NOT NULL,
    project_id      INTEGER NOT NULL REFERENCES project (id),
    name            TEXT NOT NULL,
    created         INTEGER NOT NULL
) STRICT;
CREATE INDEX project_token_by_project ON project_token (project_id);

CREATE TABLE issue_type (
    organization_id INTEGER NOT NULL REFERENCES organization (id),
    id              INTEGER NOT NULL, -- that of a built-in type: changes its rules
    slug            TEXT NOT NULL,
    definition      TEXT NOT NULL, -- JSON object
    PRIMARY KEY (organization_id, id)
) STRICT, WITHOUT ROWID;

-- Numbers of issue types are not given twice, also when a type is gone.
CREATE TABLE issue_type_number (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    next INTEGER NOT NULL
) STRICT;
INSERT INTO issue_type_number VALUES (1, 0);

CREATE TABLE config_version (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    value INTEGER NOT NULL
) STRICT;
INSERT INTO config_version VALUES (1, 0);

-- Issues, in two tables: nearly every event changes the numbers and nearly none changes the words, and lists are
-- sorted and filtered by the numbers.
CREATE TABLE issue (
    id                 INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id         INTEGER NOT NULL REFERENCES project (id),
    short_id           INTEGER NOT NULL,
    type_id            INTEGER NOT NULL,
    status             INTEGER NOT NULL,
    substatus          INTEGER,
    state_since        INTEGER NOT NULL,
    priority           INTEGER NOT NULL,
    priority_locked_at INTEGER,
    initial_priority   INTEGER NOT NULL,
    level              INTEGER NOT NULL,
    first_seen         INTEGER NOT NULL,
    last_seen          INTEGER NOT NULL,
    active_at          INTEGER NOT NULL,
    resolved_at        INTEGER,
    times_seen         INTEGER NOT NULL,
    user_count         INTEGER NOT NULL,
    assignee_user_id   INTEGER,
    assignee_team_id   INTEGER,
    unhandled          INTEGER NOT NULL,
    inbox              INTEGER,
    snoozed_until      INTEGER,
    snooze             TEXT, -- JSON
    resolution         TEXT, -- JSON
    open_period        TEXT, -- JSON: the latest row of open_period
    detector_id        INTEGER,
    UNIQUE (project_id, short_id)
) STRICT;
CREATE INDEX issue_by_last_seen ON issue (project_id, status, last_seen);
CREATE INDEX issue_by_first_seen ON issue (project_id, status, first_seen);

-- What jobs look for: see the conditions in `meta/due.rs`.
CREATE INDEX issue_young ON issue (id) WHERE substatus IN (2, 6, 7);
CREATE INDEX issue_snoozed ON issue (snoozed_until) WHERE snoozed_until IS NOT NULL;

CREATE TABLE issue_text (
    issue_id      INTEGER PRIMARY KEY REFERENCES issue (id),
    searchable    TEXT NOT NULL, -- title, culprit and search text in lower case
    title         TEXT NOT NULL,
    culprit       TEXT NOT NULL,
    search_text   TEXT NOT NULL,
    platform      TEXT NOT NULL,
    logger        TEXT,
    event_type    TEXT NOT NULL,
    metadata      TEXT NOT NULL, -- JSON object
    first_release TEXT,
    last_release  TEXT
) STRICT;

-- A hash without an issue is dead: it waits for the next issue that matches it.
CREATE TABLE issue_hash (
    project_id INTEGER NOT NULL,
    hash       BLOB NOT NULL,
    issue_id   INTEGER REFERENCES issue (id),
    number     INTEGER NOT NULL, -- order among the hashes of the issue
    PRIMARY KEY (project_id, hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX issue_hash_by_issue ON issue_hash (issue_id, number);

-- By hour first, so that what is written now lies together, and what expires too.
CREATE TABLE issue_hour (
    hour     INTEGER NOT NULL,
    issue_id INTEGER NOT NULL REFERENCES issue (id),
    count    INTEGER NOT NULL,
    PRIMARY KEY (hour, issue_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE issue_user (
    issue_id  INTEGER NOT NULL REFERENCES issue (id),
    user_hash INTEGER NOT NULL,
    PRIMARY KEY (issue_id, user_hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE activity (
    id       INTEGER PRIMARY KEY,
    issue_id INTEGER NOT NULL REFERENCES issue (id),
    kind     INTEGER NOT NULL,
    data     TEXT NOT NULL, -- JSON
    user_id  INTEGER,
    at       INTEGER NOT NULL
) STRICT;
CREATE INDEX activity_by_issue ON activity (issue_id, at);

-- The states an issue went through.
CREATE TABLE issue_history (
    id       INTEGER PRIMARY KEY,
    issue_id INTEGER NOT NULL REFERENCES issue (id),
    state    INTEGER NOT NULL,
    release  TEXT,
    user_id  INTEGER,
    at       INTEGER NOT NULL
) STRICT;
CREATE INDEX issue_history_by_issue ON issue_history (issue_id);

-- When an issue was not resolved, and what happened then to those of types with a detector.
CREATE TABLE open_period (
    issue_id INTEGER NOT NULL REFERENCES issue (id),
    number   INTEGER NOT NULL,
    period   TEXT NOT NULL, -- JSON
    PRIMARY KEY (issue_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE open_period_entry (
    id       INTEGER PRIMARY KEY,
    issue_id INTEGER NOT NULL REFERENCES issue (id),
    period   INTEGER NOT NULL,
    kind     TEXT NOT NULL,
    priority INTEGER NOT NULL,
    at       INTEGER NOT NULL
) STRICT;
CREATE INDEX open_period_entry_by_issue ON open_period_entry (issue_id, period);

-- Hashes that were seen too seldom to be issues.
CREATE TABLE sighting (
    project_id INTEGER NOT NULL,
    hash       BLOB NOT NULL,
    count      INTEGER NOT NULL,
    expires    INTEGER NOT NULL,
    PRIMARY KEY (project_id, hash)
) STRICT, WITHOUT ROWID;

-- What was used of quotas, by granule (its start in seconds since the epoch).
CREATE TABLE occurrence_usage (
    project_id INTEGER NOT NULL,
    hash       BLOB NOT NULL,
    start_secs INTEGER NOT NULL,
    count      INTEGER NOT NULL,
    PRIMARY KEY (project_id, hash, start_secs)
) STRICT, WITHOUT ROWID;

CREATE TABLE creation_usage (
    project_id INTEGER NOT NULL,
    type_id    INTEGER NOT NULL,
    start_secs INTEGER NOT NULL,
    count      INTEGER NOT NULL,
    PRIMARY KEY (project_id, type_id, start_secs)
) STRICT, WITHOUT ROWID;

-- Releases of a project, each since its first event.
CREATE TABLE release (
    project_id INTEGER NOT NULL,
    version    TEXT NOT NULL,
    date       INTEGER NOT NULL,
    PRIMARY KEY (project_id, version)
) STRICT, WITHOUT ROWID;

-- Messages that were handled, to recognise repetitions; where from, unless they did not come from the log.
-- fate 0: the event belongs to an issue, 1: it is kept, 2: it is not.
-- topic 0 is ingest-events, 1 ingest-occurrences, 2 dead-letters.
CREATE TABLE handled (
    project_id INTEGER NOT NULL,
    id         BLOB NOT NULL,
    of_event   INTEGER NOT NULL,
    fate       INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    topic      INTEGER,
    partition  INTEGER,
    "offset"   INTEGER,
    PRIMARY KEY (project_id, id, of_event)
) STRICT, WITHOUT ROWID;

-- The next record of the log a consumer will apply: moved in the transaction that applies.
CREATE TABLE position (
    consumer  TEXT NOT NULL,
    topic     TEXT NOT NULL,
    partition INTEGER NOT NULL,
    "offset"  INTEGER NOT NULL,
    PRIMARY KEY (consumer, topic, partition)
) STRICT, WITHOUT ROWID;

-- Messages that were acknowledged and refused, in two tables, as lists do not show the records. A letter is known by where
-- the refused record was, its topic numbered as in counted.
CREATE TABLE dead_letter (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    topic            INTEGER NOT NULL,
    partition        INTEGER NOT NULL,
    "offset"         INTEGER NOT NULL,
    project_id       INTEGER, -- what the record says, whether or not there is such a project
    event_id         BLOB,
    reason           TEXT NOT NULL,
    message          TEXT NOT NULL,
    place            TEXT,
    at               INTEGER NOT NULL,
    bytes            INTEGER NOT NULL, -- size of the record
    replay_requested INTEGER NOT NULL,
    UNIQUE (topic, partition, "offset")
) STRICT;
CREATE INDEX dead_letter_to_replay ON dead_letter (id) WHERE replay_requested;

CREATE TABLE dead_letter_record (
    letter_id INTEGER PRIMARY KEY REFERENCES dead_letter (id) ON DELETE CASCADE,
    record    BLOB NOT NULL
) STRICT;
