-- Schedules of rules: each is due by its cron, and then a tick wakes the rule for every process that it is for, a chunk after another. What the files in force say is noted whenever a
-- cell has loaded them; the clock of every worker moves what is due.
create table rule_schedules (
  tenant_id uuid not null,
  rule text not null,
  cron text not null,
  time_zone text not null,
  -- Which processes these are, as the cell asks for them; null for all.
  asked text,
  -- When the clock looks at it next: when it is due, or sooner where a tick is under way. Null for never.
  look_at timestamptz,
  -- Null where it never is again.
  next_at timestamptz,
  -- The tick that is under way: when it was due, the process that it has come to, the last one that there was when it began, and how many it has woken.
  tick_due timestamptz,
  tick_pid bigint,
  tick_last bigint,
  tick_count bigint,
  -- The last tick that has ended, or was skipped.
  last_due timestamptz,
  last_at timestamptz,
  last_outcome text check (last_outcome in ('ran', 'skipped', 'stopped', 'failed')),
  last_reason text,
  last_count bigint,
  -- Times that it was due, since the last tick began, of which nothing came.
  missed int not null default 0,
  primary key (tenant_id, rule),
  constraint rule_schedules_tick check ((tick_due is null) = (tick_pid is null) and (tick_due is null) = (tick_last is null) and (tick_due is null) = (tick_count is null))
) with (fillfactor = 70);
create index rule_schedules_look on rule_schedules (look_at) where look_at is not null;

-- What a tenant's files say that runs by the clock. Where neither its times nor their zone changed, when it is due stays; a tick that is under way goes on.
create function note_schedules(p_tenant uuid, p_rules text[], p_crons text[], p_asked text[], p_next timestamptz[], p_time_zone text) returns void
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  delete from rule_schedules s where s.tenant_id = p_tenant and s.rule <> all(p_rules);
  insert into rule_schedules as s (tenant_id, rule, cron, time_zone, asked, look_at, next_at)
  select p_tenant, u.rule, u.cron, p_time_zone, u.asked, u.next_at, u.next_at
  from unnest(p_rules, p_crons, p_asked, p_next) u(rule, cron, asked, next_at) order by u.rule
  on conflict (tenant_id, rule) do update
  set cron = excluded.cron, time_zone = excluded.time_zone, asked = excluded.asked,
    next_at = case when (s.cron, s.time_zone) = (excluded.cron, excluded.time_zone) then s.next_at else excluded.next_at end,
    look_at = case when (s.cron, s.time_zone) = (excluded.cron, excluded.time_zone) then s.look_at when s.tick_due is null then excluded.next_at else s.look_at end
  where (s.cron, s.time_zone, s.asked) is distinct from (excluded.cron, excluded.time_zone, excluded.asked);
end
$$;

-- Has the tenant's files loaded without an event, so that what they say of the clock is noted. The arrival wakes nothing.
create function load_files(p_tenant uuid, p_at timestamptz) returns void
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
  v_shard smallint := get_byte(uuid_send(p_tenant), 15) & 63;
  v_arrival uuid := gen_random_uuid();
begin
  insert into arrivals (shard, tenant_id, arrival, pid, wake_pid, fresh, kvps, actor, source, received_at, waking)
  values (v_shard, p_tenant, v_arrival, 0, 1, false, '[]', 'eddy', 'load', p_at,
    jsonb_build_object('rule', '', 'pid', 0, 'set', 0, 'count', 0, 'setAt', '2000-01-01T00:00:00Z', 'generation', 1, 'chain', '[]'::jsonb, 'root', v_arrival, 'actor', 'eddy', 'quiet', false)::text);
  perform pg_notify('eddy_arrivals', v_shard::text);
end
$$;

-- When a schedule of a rule is to be looked at next, of whatever tenant; null for never.
create function next_tick() returns timestamptz
language sql stable security definer set search_path = pg_catalog, public set enable_seqscan = off as $$
  select look_at from rule_schedules where look_at is not null order by look_at limit 1
$$;

-- The one that has waited longest. Its row stays locked until the transaction ends, so another worker takes the next one. It comes with whether the rule is switched off, whether
-- something of a schedule still waits in the tenant's line, and the tenant's last process.
create function take_tick(p_now timestamptz)
returns table (tenant_id uuid, rule text, cron text, time_zone text, asked text, next_at timestamptz, tick_due timestamptz, tick_pid bigint, tick_last bigint, tick_count bigint, missed int,
  is_off boolean, is_waiting boolean, last_pid bigint)
language plpgsql security definer set search_path = pg_catalog, public set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off as $$
#variable_conflict use_column
begin
  return query
    with due as materialized (
      select * from rule_schedules s where s.look_at <= p_now order by s.look_at limit 1 for update skip locked)
    select d.tenant_id, d.rule, d.cron, d.time_zone, d.asked, d.next_at, d.tick_due, d.tick_pid, d.tick_last, d.tick_count, d.missed,
      exists (select from rule_switches o where o.tenant_id = d.tenant_id and o.rule = d.rule),
      exists (select from arrivals a where a.shard = get_byte(uuid_send(d.tenant_id), 15) & 63 and a.tenant_id = d.tenant_id and a.source = 'schedule'),
      coalesce((select p.pid from processes p where p.tenant_id = d.tenant_id order by p.pid desc limit 1), 0)
    from due d;
end
$$;

-- What became of the one that was taken.
create function note_tick(
  p_tenant uuid, p_rule text, p_look timestamptz, p_next timestamptz, p_due timestamptz, p_pid bigint, p_last bigint, p_count bigint,
  p_ended_due timestamptz, p_at timestamptz, p_outcome text, p_reason text, p_ended_count bigint, p_missed int)
returns void
language sql security definer set search_path = pg_catalog, public as $$
  update rule_schedules s
  set look_at = p_look, next_at = p_next, tick_due = p_due, tick_pid = p_pid, tick_last = p_last, tick_count = p_count, missed = p_missed,
    last_due = case when p_outcome is null then s.last_due else p_ended_due end, last_at = case when p_outcome is null then s.last_at else p_at end,
    last_outcome = coalesce(p_outcome, s.last_outcome), last_reason = case when p_outcome is null then s.last_reason else p_reason end,
    last_count = case when p_outcome is null then s.last_count else p_ended_count end
  where s.tenant_id = p_tenant and s.rule = p_rule
$$;

-- Wakes a rule for some processes: each is a cascade of its own.
create function wake_by_schedule(p_tenant uuid, p_pids bigint[], p_arrivals uuid[], p_wakings text[], p_actor text, p_at timestamptz) returns void
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
  v_shard smallint := get_byte(uuid_send(p_tenant), 15) & 63;
begin
  insert into arrivals (shard, tenant_id, arrival, pid, wake_pid, fresh, kvps, actor, source, received_at, waking)
  select v_shard, p_tenant, u.arrival, u.pid, u.pid, false, '[]', p_actor, 'schedule', p_at, u.waking
  from unnest(p_pids, p_arrivals, p_wakings) with ordinality u(pid, arrival, waking, n) order by u.n;
  perform pg_notify('eddy_arrivals', v_shard::text);
end
$$;
