-- Messages handed in beside the server, until its worker has written them to the topic ingest-occurrences.
CREATE TABLE queued_message (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    partition INTEGER NOT NULL,
    key       BLOB NOT NULL,
    value     BLOB NOT NULL
) STRICT;
