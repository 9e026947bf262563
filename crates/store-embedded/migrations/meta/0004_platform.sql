-- Messages handed in beside the server, until its worker has written them to the topic ingest-occurrences.
CREATE TABLE queued_message (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    partition INTEGER NOT NULL,
    key       BLOB NOT NULL,
    value     BLOB NOT NULL
) STRICT;

-- Who or what caused an activity, as JSON. Null in what the first format wrote: user_id says then which person, or none.
ALTER TABLE activity ADD COLUMN cause TEXT;

ALTER TABLE team ADD COLUMN created INTEGER NOT NULL DEFAULT 0;

CREATE TABLE team_member (
    team_id INTEGER NOT NULL REFERENCES team (id) ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES user (id),
    PRIMARY KEY (team_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE team_project (
    team_id    INTEGER NOT NULL REFERENCES team (id) ON DELETE CASCADE,
    project_id INTEGER NOT NULL REFERENCES project (id),
    PRIMARY KEY (team_id, project_id)
) STRICT, WITHOUT ROWID;
