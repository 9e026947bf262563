-- Runs that are in progress, of which there are few however many a monitor has had.
CREATE INDEX monitor_run_open ON monitor_run (monitor_id, environment, added, id) WHERE status = 3;
-- What retention takes.
CREATE INDEX monitor_run_age ON monitor_run (added);
CREATE INDEX seen_item_received ON seen_item (received);
-- The reports of a project, and whether anything refers to a place.
CREATE INDEX user_report_by_project ON user_report (project_id, number);
CREATE INDEX session_state_by_place ON session_state (place_id);
