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

-- User reports that were counted before the ledger told them from events: what was accepted as events, besides those that
-- are remembered or forgotten. Categories: 1 error, 3 security, 14 feedback.
UPDATE outcome_total AS feedback SET reports = max(0, min(
    opening + quantity,
    (SELECT sum(opening + quantity - forgotten) FROM outcome_total AS events
      WHERE events.project_id = feedback.project_id AND outcome = 0 AND category IN (1, 3, 14))
    - (SELECT count(*) FROM handled
        WHERE handled.project_id = feedback.project_id AND of_event AND fate IN (0, 3, 4))
)) WHERE category = 14 AND outcome = 0;
