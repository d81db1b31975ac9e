-- One event at a time is what most tenants send, and what somebody waits for: then the statements that join lists cost more than what they do.
create or replace function fence_slice(
  p_worker uuid, p_shards smallint[], p_epochs bigint[], p_slices bigint[], p_done_shards smallint[], p_done bigint[],
  p_tenants uuid[], p_before bigint[], p_positions bigint[], p_runs bigint[], p_at timestamptz[], p_cpu bigint[])
returns void
language plpgsql security definer as $$
declare
  v_count int;
begin
  if cardinality(p_shards) = 1 then
    update public.leases l set slice = p_slices[1] where l.shard = p_shards[1] and l.owner = p_worker and l.epoch = p_epochs[1] and l.slice = p_slices[1] - 1;
  else
    perform from public.leases l where l.shard = any(p_shards) order by l.shard for update;
    update public.leases l set slice = u.slice from unnest(p_shards, p_epochs, p_slices) u(shard, epoch, slice)
    where l.shard = u.shard and l.owner = p_worker and l.epoch = u.epoch and l.slice = u.slice - 1;
  end if;
  get diagnostics v_count = row_count;
  if v_count <> cardinality(p_shards) then
    raise exception '% of the leases of shards % are lost', cardinality(p_shards) - v_count, p_shards using errcode = 'ED001';
  end if;
  if cardinality(p_done) = 1 then
    delete from public.arrivals a where a.shard = p_done_shards[1] and a.id = p_done[1];
  else
    delete from public.arrivals where ctid = any(array(
      select a.ctid from unnest(p_done_shards, p_done) d(shard, id)
      cross join lateral (select l.ctid from public.arrivals l where l.shard = d.shard and l.id = d.id offset 0) a));
  end if;
  get diagnostics v_count = row_count;
  if v_count <> cardinality(p_done) then
    raise exception 'shards %: % of % arrivals are gone from the line', p_shards, cardinality(p_done) - v_count, cardinality(p_done) using errcode = 'ED002';
  end if;
  if cardinality(p_tenants) = 1 then
    update public.heads h set position = p_positions[1], run = p_runs[1], at = p_at[1], cpu_us = h.cpu_us + p_cpu[1]
    where h.tenant_id = p_tenants[1] and h.position = p_before[1];
    if found then
      return;
    end if;
  end if;
  select count(*) into v_count
  from unnest(p_tenants, p_before) u(tenant_id, before)
  left join lateral (select h.position from public.heads h where h.tenant_id = u.tenant_id offset 0) h on true
  where coalesce(h.position, 0) = u.before;
  if v_count <> cardinality(p_tenants) then
    raise exception 'shards %: the head of a tenant is not where its pump left it', p_shards using errcode = 'ED002';
  end if;
  insert into public.heads as h (tenant_id, position, run, at, cpu_us)
  select * from unnest(p_tenants, p_positions, p_runs, p_at, p_cpu)
  on conflict (tenant_id) do update set position = excluded.position, run = excluded.run, at = excluded.at, cpu_us = h.cpu_us + excluded.cpu_us;
end
$$;

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
  from unnest(p_shards, p_tenants, p_arrivals, p_pids, p_wake_pids, p_fresh, p_kvps, p_actors, p_sources, p_tags, p_traces, p_requests)
    a(shard, tenant_id, arrival, pid, wake_pid, fresh, kvps, actor, source, tag, trace, request)
  where v_known = '{}' or a.request <> all(v_known);
  if p_notify is not null then
    perform pg_notify('eddy_arrivals', p_notify);
  end if;
  return v_known;
end
$$;
