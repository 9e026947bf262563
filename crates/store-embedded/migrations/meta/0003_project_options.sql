-- What people choose for a project: scrubbing and inbound filters, as JSON. Absent members are as usual.
ALTER TABLE project ADD COLUMN options TEXT NOT NULL DEFAULT '{}';
