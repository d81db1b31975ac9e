-- Columns become rows in the select list. A function in the from list with several columns fills a store for each of them first, and puts the rows together from these: a tenth of what
-- a commit costs.
create or replace function append_arrivals(
  p_door uuid, p_flush bigint, p_at timestamptz, p_notify text,
  p_shards smallint[], p_tenants uuid[], p_arrivals uuid[], p_pids bigint[], p_wake_pids bigint[], p_fresh boolean[],
  p_kvps text[], p_actors text[], p_sources text[], p_tags text[], p_traces text[], p_requests int[],
  p_request_tenants uuid[], p_request_keys text[], p_fingerprints bytea[], p_answers text[])
returns int[]
language plpgsql security definer as $$
declare
  v_known int[] := '{}';
begin
  update public.doors d set flush = p_flush, at = p_at where d.door = p_door and d.flush < p_flush;
  if not found then
    -- Its first flush, or one that is committed already.
    insert into public.doors (door, flush, at) values (p_door, p_flush, p_at) on conflict (door) do nothing;
  end if;
  if not found then
    raise exception 'flush % of this door is committed already', p_flush using errcode = 'ED003';
  end if;
  if cardinality(p_request_keys) > 0 then
    -- Another door's row of the same key makes this wait for its end, and then skip.
    with new as (
      insert into public.idempotency (tenant_id, key, fingerprint, answer, at)
      select r.tenant_id, r.key, r.fingerprint, r.answer::jsonb, p_at
      from unnest(p_request_tenants, p_request_keys, p_fingerprints, p_answers) r(tenant_id, key, fingerprint, answer)
      order by 1, 2
      on conflict do nothing
      returning tenant_id, key)
    select coalesce(array_agg(r.n::int), '{}') into v_known
    from unnest(p_request_tenants, p_request_keys) with ordinality r(tenant_id, key, n)
    where not exists (select from new where new.tenant_id = r.tenant_id and new.key = r.key);
  end if;
  insert into public.arrivals (shard, tenant_id, arrival, pid, wake_pid, fresh, kvps, actor, source, received_at, tag, trace)
  select a.shard, a.tenant_id, a.arrival, a.pid, a.wake_pid, a.fresh, a.kvps, a.actor, a.source, p_at, a.tag, a.trace
  from (
    select unnest(p_shards) as shard, unnest(p_tenants) as tenant_id, unnest(p_arrivals) as arrival, unnest(p_pids) as pid, unnest(p_wake_pids) as wake_pid,
      unnest(p_fresh) as fresh, unnest(p_kvps) as kvps, unnest(p_actors) as actor, unnest(p_sources) as source, unnest(p_tags) as tag, unnest(p_traces) as trace,
      unnest(p_requests) as request) a
  where v_known = '{}' or a.request <> all(v_known);
  if p_notify is not null then
    perform pg_notify('eddy_arrivals', p_notify);
  end if;
  return v_known;
end
$$;

create or replace function append_events(
  p_tenants uuid[], p_positions bigint[], p_at timestamptz[], p_pids bigint[], p_keys text[], p_values text[], p_previous text[],
  p_actors text[], p_sources text[], p_causes bigint[], p_sets bigint[], p_roots uuid[])
returns void
language plpgsql security definer as $$
begin
  insert into public.events (tenant_id, position, at, pid, key, value, previous, actor, source, cause, set_position, root)
  select unnest(p_tenants), unnest(p_positions), unnest(p_at), unnest(p_pids), unnest(p_keys), unnest(p_values)::jsonb, unnest(p_previous)::jsonb,
    unnest(p_actors), unnest(p_sources), unnest(p_causes), unnest(p_sets), unnest(p_roots);
end
$$;

create or replace function append_runs(
  p_tenants uuid[], p_ids bigint[], p_at timestamptz[], p_rules text[], p_said_no text[], p_trees bigint[], p_pids bigint[], p_sets bigint[], p_roots uuid[],
  p_generations int[], p_outcomes smallint[], p_first bigint[], p_changes int[], p_elapsed bigint[], p_cpu bigint[], p_logs text[], p_errors text[], p_traces text[], p_calls text[])
returns void
language plpgsql security definer as $$
begin
  insert into public.runs (tenant_id, id, at, rule, said_no, tree_version, pid, set_position, root, generation, outcome, first_position, changes,
    elapsed_us, cpu_us, log, error, trace, calls)
  select unnest(p_tenants), unnest(p_ids), unnest(p_at), unnest(p_rules), unnest(p_said_no)::text[], unnest(p_trees), unnest(p_pids), unnest(p_sets), unnest(p_roots),
    unnest(p_generations), unnest(p_outcomes), unnest(p_first), unnest(p_changes), unnest(p_elapsed), unnest(p_cpu), unnest(p_logs), unnest(p_errors)::jsonb,
    unnest(p_traces), unnest(p_calls)::jsonb;
end
$$;

create or replace function add_processes(p_tenants uuid[], p_pids bigint[], p_kinds text[], p_parents bigint[], p_at timestamptz[]) returns void
language plpgsql security definer as $$
begin
  insert into public.processes (tenant_id, pid, kind, parent, created_at)
  select unnest(p_tenants), unnest(p_pids), unnest(p_kinds), unnest(p_parents), unnest(p_at);
end
$$;

create or replace function add_kvps(
  p_tenants uuid[], p_pids bigint[], p_keys text[], p_values text[], p_txt text[], p_num float8[], p_at timestamptz[], p_positions bigint[])
returns void
language plpgsql security definer as $$
begin
  insert into public.kvps (tenant_id, pid, key, value, txt, num, at, position)
  select unnest(p_tenants), unnest(p_pids), unnest(p_keys), unnest(p_values)::jsonb, unnest(p_txt), unnest(p_num), unnest(p_at), unnest(p_positions);
  if exists (select from public.looked_up l where l.tenant_id = any(p_tenants)) then
    insert into public.kvp_index (tenant_id, key, pid, txt, num, at)
    select k.tenant_id, k.key, k.pid, k.txt, k.num, k.at
    from unnest(p_tenants, p_pids, p_keys, p_txt, p_num, p_at) k(tenant_id, pid, key, txt, num, at)
    join public.looked_up l on l.tenant_id = k.tenant_id and l.key = k.key;
  end if;
end
$$;

create or replace function fold_kvps(
  p_tenants uuid[], p_pids bigint[], p_keys text[], p_values text[], p_txt text[], p_num float8[], p_at timestamptz[], p_positions bigint[])
returns void
language plpgsql security definer as $$
begin
  insert into public.kvps (tenant_id, pid, key, value, txt, num, at, position)
  select unnest(p_tenants), unnest(p_pids), unnest(p_keys), unnest(p_values)::jsonb, unnest(p_txt), unnest(p_num), unnest(p_at), unnest(p_positions)
  on conflict (tenant_id, pid, key) do update
  set value = excluded.value, txt = excluded.txt, num = excluded.num, at = excluded.at, position = excluded.position;
  if exists (select from public.looked_up l where l.tenant_id = any(p_tenants)) then
    insert into public.kvp_index (tenant_id, key, pid, txt, num, at)
    select k.tenant_id, k.key, k.pid, k.txt, k.num, k.at
    from unnest(p_tenants, p_pids, p_keys, p_txt, p_num, p_at) k(tenant_id, pid, key, txt, num, at)
    join public.looked_up l on l.tenant_id = k.tenant_id and l.key = k.key
    on conflict (tenant_id, key, pid) do update set txt = excluded.txt, num = excluded.num, at = excluded.at;
  end if;
end
$$;

-- A root's number rises with time for all tenants together. With the root before the tenant these grow at their end alone: an entry costs half, and takes three fifths of the room.
drop index runs_root;
create index runs_root on runs (root, tenant_id, id);
drop index events_arrived;
create index events_arrived on events (root, tenant_id, position) where cause is null;
