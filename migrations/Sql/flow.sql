-- Runs that are put off because their rules say so: debounce, throttle, retry. The clock of a worker puts into the line what is due.
create table deferred (
  tenant_id uuid not null,
  id bigint generated always as identity,
  rule text not null,
  pid bigint not null,
  -- What tells the streams of the rule apart.
  stream text not null,
  kind text not null check (kind in ('debounce', 'throttle', 'retry')),
  -- What woke it, as an arrival brings it back.
  waking jsonb not null,
  -- How many wakings it stands for, and since when.
  wakings int not null,
  since timestamptz not null,
  due timestamptz not null,
  primary key (tenant_id, id)
);
create unique index deferred_debounce on deferred (tenant_id, rule, stream) where kind = 'debounce';
create index deferred_throttle on deferred (tenant_id, rule, stream, due) where kind = 'throttle';
create index deferred_due on deferred (due);

-- When a rule that is throttled has run in a stream, or will: the last times, as many as it may run within its time.
create table streams (
  tenant_id uuid not null,
  rule text not null,
  stream text not null,
  times timestamptz[] not null,
  primary key (tenant_id, rule, stream)
) with (fillfactor = 50);

create function defer_runs(
  p_tenants uuid[], p_rules text[], p_pids bigint[], p_streams text[], p_kinds text[], p_waits bigint[], p_most int[], p_wakings text[], p_at timestamptz[])
returns void
language plpgsql security definer as $$
declare
  d record;
  v_times timestamptz[];
  v_due timestamptz;
  v_wait interval;
begin
  for d in
    select * from unnest(p_tenants, p_rules, p_pids, p_streams, p_kinds, p_waits, p_most, p_wakings, p_at) with ordinality
      u(tenant_id, rule, pid, stream, kind, wait, most, waking, at, n) order by u.n
  loop
    v_wait := d.wait * interval '1 microsecond';
    v_due := d.at + v_wait;
    if d.kind = 'debounce' then
      insert into public.deferred as f (tenant_id, rule, pid, stream, kind, waking, wakings, since, due)
      values (d.tenant_id, d.rule, d.pid, d.stream, d.kind, d.waking::jsonb, 1, d.at, v_due)
      on conflict (tenant_id, rule, stream) where kind = 'debounce' do update
      set pid = excluded.pid, waking = excluded.waking, due = excluded.due, wakings = f.wakings + 1;
      continue;
    end if;
    if d.kind = 'throttle' then
      select s.times into v_times from public.streams s where s.tenant_id = d.tenant_id and s.rule = d.rule and s.stream = d.stream for update;
      v_times := coalesce(v_times, '{}');
      -- As many as it may have run, and within its time: the next one when the first of them is that long ago; and never before the last.
      v_due := greatest(d.at, v_times[cardinality(v_times)], case when cardinality(v_times) >= d.most then v_times[cardinality(v_times) - d.most + 1] + v_wait end);
      v_times := v_times || v_due;
      insert into public.streams (tenant_id, rule, stream, times)
      values (d.tenant_id, d.rule, d.stream, v_times[greatest(1, cardinality(v_times) - d.most + 1):])
      on conflict (tenant_id, rule, stream) do update set times = excluded.times;
      if v_due <= d.at then
        insert into public.arrivals (shard, tenant_id, arrival, pid, wake_pid, fresh, kvps, actor, source, received_at, trace, waking)
        values (get_byte(uuid_send(d.tenant_id), 15) & 63, d.tenant_id, gen_random_uuid(), d.pid, d.pid, false, '[]', d.waking::jsonb->>'actor', 'throttle', d.at, d.waking::jsonb->>'trace', d.waking);
        continue;
      end if;
    end if;
    insert into public.deferred (tenant_id, rule, pid, stream, kind, waking, wakings, since, due)
    values (d.tenant_id, d.rule, d.pid, d.stream, d.kind, d.waking::jsonb, 1, d.at, v_due);
  end loop;
end
$$;

-- Puts what is due into the line, in its order; how many that were. Each goes once, whichever worker's clock comes first.
create function wake_deferred(p_now timestamptz, p_limit int) returns int
language plpgsql security definer set search_path = pg_catalog, public set enable_seqscan = off as $$
declare
  v_shards text;
  v_count int;
begin
  with due as materialized (
    select d.tenant_id, d.id from deferred d where d.due <= p_now order by d.due, d.id limit p_limit for update skip locked),
  gone as (
    delete from deferred d using due where d.tenant_id = due.tenant_id and d.id = due.id
    returning d.*),
  woken as (
    insert into arrivals (shard, tenant_id, arrival, pid, wake_pid, fresh, kvps, actor, source, received_at, trace, waking)
    select get_byte(uuid_send(g.tenant_id), 15) & 63, g.tenant_id, gen_random_uuid(), g.pid, g.pid, false, '[]', g.waking->>'actor', g.kind, p_now, g.waking->>'trace', g.waking::text
    from gone g order by g.due, g.id
    returning shard)
  select count(*), string_agg(distinct shard::text, ',') into v_count, v_shards from woken;
  if v_count > 0 then
    perform pg_notify('eddy_arrivals', v_shards);
  end if;
  return v_count;
end
$$;

-- When a run that is put off is due next, of whatever tenant; null for never.
create function next_deferred() returns timestamptz
language sql stable security definer set search_path = pg_catalog, public set enable_seqscan = off as $$
  select due from deferred order by due limit 1
$$;

-- Forgets streams that last ran before then, some at a time; how many that were.
create function prune_streams(p_before timestamptz) returns int
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
  v_count int;
begin
  delete from streams s where (s.tenant_id, s.rule, s.stream) in (
    select t.tenant_id, t.rule, t.stream from streams t where t.times[cardinality(t.times)] < p_before limit 1000);
  get diagnostics v_count = row_count;
  return v_count;
end
$$;
