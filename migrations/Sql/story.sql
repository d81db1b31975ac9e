-- "What happened in this process?", the last first.
create index if not exists events_pid on events (tenant_id, pid, position);
