-- How many errors a key may send in a window; no limit when null.
ALTER TABLE project_key ADD COLUMN rate_window_secs INTEGER;
ALTER TABLE project_key ADD COLUMN rate_count INTEGER;

-- How much an organization, a project or a key may send. Every write raises config_version.
CREATE TABLE quota (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    organization_id INTEGER NOT NULL REFERENCES organization (id),
    project_id      INTEGER REFERENCES project (id),
    rule            TEXT NOT NULL -- JSON
) STRICT;
CREATE INDEX quota_by_organization ON quota (organization_id);

-- The minute of an issue's newest events, how many there were in it, and how many events of the issue are counted but not
-- kept because there were too many. In handled, fate 3 is an event that is kept for several, 4 one that is only counted.
ALTER TABLE issue ADD COLUMN flood_minute INTEGER NOT NULL DEFAULT 0;
ALTER TABLE issue ADD COLUMN flood_events INTEGER NOT NULL DEFAULT 0;
ALTER TABLE issue ADD COLUMN thinned INTEGER NOT NULL DEFAULT 0;
