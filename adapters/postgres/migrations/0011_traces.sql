-- The trace of the request that made a change: its traceparent, and behind a space its tracestate, if it had one.

ALTER TABLE changes ADD COLUMN trace text;
