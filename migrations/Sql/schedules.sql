-- What runs by the clock. Tenants write drips through row-level security; the clock of every worker moves those that are due, through the functions below.
create table schedules (
  tenant_id uuid not null,
  -- What the schedule is of.
  kind text not null check (kind in ('drip')),
  name text not null,
  cron text not null,
  -- Null: the tenant's.
  time_zone text,
  -- As it was written, and what it comes to, as arrivals carry it.
  kvps text not null,
  changes text not null,
  is_on boolean not null,
  -- Of what people wrote; runs leave it.
  version bigint not null,
  created_at timestamptz not null,
  created_by text not null,
  changed_at timestamptz not null,
  changed_by text not null,
  -- Null where it never runs again as it is.
  next_at timestamptz,
  -- The last time it was due: then, and when and how that was seen to.
  last_due timestamptz,
  last_at timestamptz,
  last_outcome text check (last_outcome in ('ran', 'refused', 'failed')),
  last_reason text,
  last_pid bigint,
  last_arrival uuid,
  -- Times that it was due, since it ran last, of which nothing came.
  missed int not null default 0 check (missed >= 0),
  primary key (tenant_id, kind, name),
  constraint schedules_off check (is_on or next_at is null)
) with (fillfactor = 80);
-- The clock's only question.
create index schedules_due on schedules (next_at) where next_at is not null;

-- When a drip is due next, of whatever tenant; null for never.
create function next_drip() returns timestamptz
language sql stable security definer set search_path = pg_catalog, public set enable_seqscan = off as $$
  select next_at from schedules where next_at is not null order by next_at limit 1
$$;

-- What is due, the longest first. The rows stay locked until the transaction ends, so another worker takes the next ones, and whoever saves one waits.
create function take_due(p_now timestamptz, p_limit int)
returns table (tenant_id uuid, name text, cron text, time_zone text, changes text, due timestamptz, missed int)
language plpgsql security definer set search_path = pg_catalog, public set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off as $$
#variable_conflict use_column
begin
  return query
    with due as materialized (
      select * from schedules s where s.next_at <= p_now order by s.next_at limit p_limit for update skip locked)
    select d.tenant_id, d.name, d.cron, coalesce(d.time_zone, t.time_zone), d.changes, d.next_at, d.missed
    from due d
    cross join lateral (select n.time_zone from tenants n where n.id = d.tenant_id offset 0) t;
end
$$;

-- What became of those that were taken. Where nothing came of it (p_missed), it is told with the next run.
create function note_due(
  p_tenants uuid[], p_names text[], p_due timestamptz[], p_next timestamptz[], p_at timestamptz, p_outcomes text[], p_reasons text[], p_pids bigint[], p_arrivals uuid[], p_missed int[])
returns void
language plpgsql security definer set search_path = pg_catalog, public set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
begin
  update schedules s
  set next_at = u.next_at, last_due = u.due, last_at = p_at, last_outcome = u.outcome, last_reason = u.reason, last_pid = u.pid, last_arrival = u.arrival, missed = u.missed
  from unnest(p_tenants, p_names, p_due, p_next, p_outcomes, p_reasons, p_pids, p_arrivals, p_missed) u(tenant_id, name, due, next_at, outcome, reason, pid, arrival, missed)
  where s.tenant_id = u.tenant_id and s.kind = 'drip' and s.name = u.name;
end
$$;
