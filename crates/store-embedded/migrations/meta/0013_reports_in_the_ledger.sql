-- Accepted user reports: units of the category `feedback` that are no events of issues.
ALTER TABLE outcome_total ADD COLUMN reports INTEGER NOT NULL DEFAULT 0;
