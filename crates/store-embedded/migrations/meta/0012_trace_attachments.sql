-- Attachments of traces are files of a kind of their own (trace_attachment 8), whose owner is the trace. What only they have:
-- their span, when they were made, and their attributes as JSON.
ALTER TABLE file ADD COLUMN span_id BLOB;
ALTER TABLE file ADD COLUMN timestamp INTEGER;
ALTER TABLE file ADD COLUMN attributes TEXT;
