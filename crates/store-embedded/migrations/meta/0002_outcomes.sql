-- The ledger: what became of what was received, by minute (since the epoch) or, later, by the first minute of the hour.
-- Project and key are 0 when there is none. Numbers of categories and outcomes are those of the crate protocol.
CREATE TABLE outcome (
    minute     INTEGER NOT NULL,
    project_id INTEGER NOT NULL,
    key_id     INTEGER NOT NULL,
    category   INTEGER NOT NULL,
    outcome    INTEGER NOT NULL,
    reason     TEXT NOT NULL,
    quantity   INTEGER NOT NULL,
    PRIMARY KEY (minute, project_id, category, outcome, key_id, reason)
) STRICT, WITHOUT ROWID;

-- The same over all times, and what retention took of it: minutes (expired) and messages in handled (forgotten).
CREATE TABLE outcome_total (
    project_id INTEGER NOT NULL,
    category   INTEGER NOT NULL,
    outcome    INTEGER NOT NULL,
    opening    INTEGER NOT NULL DEFAULT 0, -- before the ledger began
    quantity   INTEGER NOT NULL DEFAULT 0,
    expired    INTEGER NOT NULL DEFAULT 0,
    forgotten  INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (project_id, category, outcome)
) STRICT, WITHOUT ROWID;

-- What each consumer counted of the records it applied.
CREATE TABLE outcome_account (
    consumer  TEXT NOT NULL,
    topic     TEXT NOT NULL,
    partition INTEGER NOT NULL,
    opening   INTEGER NOT NULL, -- records applied before the ledger began
    records   INTEGER NOT NULL,
    quantity  INTEGER NOT NULL,
    PRIMARY KEY (consumer, topic, partition)
) STRICT, WITHOUT ROWID;

INSERT INTO outcome_account (consumer, topic, partition, opening, records, quantity)
SELECT consumer, topic, partition, "offset", 0, 0 FROM position WHERE consumer = 'issues';

-- What was accepted before: occurrences (category 200) that are remembered, and what else issues count, as errors
-- (category 1), of which as many are forgotten as are not remembered.
INSERT INTO outcome_total (project_id, category, outcome, opening)
SELECT project_id, 200, 0, count(*) FROM handled WHERE fate = 0 AND NOT of_event GROUP BY project_id;

INSERT INTO outcome_total (project_id, category, outcome, opening, forgotten)
SELECT seen.project_id, 1, 0, seen.events - coalesce(known.others, 0),
       seen.events - coalesce(known.others, 0) - coalesce(known.errors, 0)
  FROM (SELECT project_id, sum(times_seen) AS events FROM issue GROUP BY project_id) seen
  LEFT JOIN (SELECT project_id, sum(of_event = 0) AS others, sum(of_event <> 0) AS errors
               FROM handled WHERE fate = 0 GROUP BY project_id) known
    ON known.project_id = seen.project_id;

-- Dead letters are no topic of the log any more (it was number 2). Letters about its own records hold nothing to replay.
DELETE FROM dead_letter WHERE topic = 2;
DELETE FROM position WHERE topic = 'dead-letters';
