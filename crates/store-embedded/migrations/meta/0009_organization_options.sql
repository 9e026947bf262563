-- What an organization requires of its projects: scrubbing, as JSON. Absent members: nothing.
ALTER TABLE organization ADD COLUMN options TEXT NOT NULL DEFAULT '{}';
