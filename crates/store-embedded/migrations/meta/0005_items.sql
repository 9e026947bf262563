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
