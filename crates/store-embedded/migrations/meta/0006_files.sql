-- What came as bytes beside events. The kind is a number (attachment 0, unreal_report 1, form_data 2, profile 3,
-- profile_chunk 4, replay_event 5, replay_recording 6, replay_video 7). The bytes are the blob, or else the content.
CREATE TABLE file (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id      INTEGER NOT NULL,
    kind            INTEGER NOT NULL,
    owner           BLOB NOT NULL,
    part            TEXT NOT NULL,
    name            TEXT NOT NULL,
    content_type    TEXT NOT NULL,
    attachment_type TEXT,
    bytes           INTEGER NOT NULL,
    sha1            BLOB NOT NULL,
    blob            BLOB,
    received        INTEGER NOT NULL,
    content         BLOB
) STRICT;
CREATE UNIQUE INDEX file_identity ON file (project_id, owner, kind, part);
CREATE INDEX file_kind ON file (project_id, kind);
CREATE INDEX file_received ON file (received);

-- What users said about events: one report an event, the newest.
CREATE TABLE user_report (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL,
    event_id   BLOB NOT NULL,
    name       TEXT NOT NULL,
    email      TEXT NOT NULL,
    comments   TEXT NOT NULL,
    received   INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX user_report_event ON user_report (project_id, event_id);
CREATE INDEX user_report_received ON user_report (received);
