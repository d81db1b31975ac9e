-- What the pump does across tenants. Plans are made once, maybe while a table is empty, and kept: a join that looks cheap then reads a whole table for each slice
-- later. So rows are found by `cross join lateral (select … offset 0)`, which the planner can not turn into a scan, and deleted by where they lie (ctid): only the
-- holder of the lease changes them.

-- A worker's sign of life: renews its leases, and takes its share of those that nobody holds. `fair` is that share.
create function claim_shards(p_worker uuid, p_ttl interval) returns table (shard smallint, epoch bigint, slice bigint, fair int)
language plpgsql security definer set search_path = pg_catalog, public as $$
#variable_conflict use_column
declare
  v_now timestamptz := clock_timestamp();
  v_fair int;
  v_came boolean;
begin
  insert into workers as w (worker, expires_at) values (p_worker, v_now + p_ttl)
  on conflict (worker) do update set expires_at = excluded.expires_at
  returning xmax = 0 into v_came;
  if v_came then
    -- The others give up what is above their share now.
    perform pg_notify('eddy_leases', '');
  end if;
  delete from workers where expires_at < v_now - interval '1 hour';
  select ceil(64.0 / count(*)) into v_fair from workers where expires_at > v_now;
  -- In the order in which commits lock them, or the two would wait for each other.
  perform from leases l where l.owner = p_worker order by l.shard for update;
  update leases l set expires_at = v_now + p_ttl where l.owner = p_worker;
  update leases l set owner = p_worker, epoch = l.epoch + 1, expires_at = v_now + p_ttl
  from (
    select f.shard from leases f
    where (f.owner is null or f.expires_at < v_now) and f.owner is distinct from p_worker
    order by f.shard
    limit greatest(0, v_fair - (select count(*) from leases m where m.owner = p_worker))
    for update skip locked) free
  where l.shard = free.shard;
  return query select l.shard, l.epoch, l.slice, v_fair from leases l where l.owner = p_worker order by 1;
end
$$;

-- Gives shards back at once: to a worker that came, or at a graceful stop; who leaves (p_leave) has no share any more.
create function release_shards(p_worker uuid, p_shards smallint[], p_leave boolean) returns void
language sql security definer set search_path = pg_catalog, public as $$
  update leases set owner = null, expires_at = '-infinity' where owner = p_worker and shard = any(p_shards);
  delete from workers where worker = p_worker and p_leave;
  select pg_notify('eddy_leases', '')
$$;

-- The line of some shards, without the tenants that have work under way or have had their share. Taken by presence, never by a cursor:
-- ids do not commit in their order.
create function read_slice(p_shards smallint[], p_without uuid[], p_limit int)
returns table (id bigint, shard smallint, tenant_id uuid, arrival uuid, pid bigint, wake_pid bigint, fresh boolean, kvps text, actor text, source text,
  received_at timestamptz, tag text, trace text, tree_version bigint, waking text)
language plpgsql stable security definer as $$
#variable_conflict use_column
begin
  return query
    select a.id, a.shard, a.tenant_id, a.arrival, a.pid, a.wake_pid, a.fresh, a.kvps, a.actor, a.source, a.received_at, a.tag, a.trace, t.tree_version, a.waking
    from unnest(p_shards) s(shard)
    cross join lateral (select * from public.arrivals l where l.shard = s.shard and l.tenant_id <> all(p_without) order by l.id limit p_limit) a
    left join lateral (select n.tree_version from public.tenants n where n.id = a.tenant_id offset 0) t on true;
end
$$;

create function waiting_shards(p_shards smallint[]) returns setof smallint
language plpgsql stable security definer as $$
#variable_conflict use_column
begin
  return query
    select u.shard from unnest(p_shards) u(shard)
    where exists (select from public.arrivals a where a.shard = u.shard) or exists (select from public.wakings w where w.shard = u.shard);
end
$$;

-- The owed runs of some shards: those in the line, or those beside it.
create function read_owed(p_shards smallint[], p_beside boolean)
returns table (id bigint, tenant_id uuid, rule text, pid bigint, set_position bigint, set_count int, set_at timestamptz, generation int, chain text[],
  root uuid, actor text, runs int, first_run bigint, last_run bigint, tag text, trace text, tree_version bigint, quiet boolean, quarantine bigint, attempt int, due boolean, acting text)
language sql stable security definer set search_path = pg_catalog, public as $$
  select w.id, w.tenant_id, w.rule, w.pid, w.set_position, w.set_count, w.set_at, w.generation, w.chain,
         w.root, w.actor, w.runs, w.first_run, w.last_run, w.tag, w.trace, t.tree_version, w.quiet, w.quarantine, w.attempt, w.due, w.acting
  from wakings w join tenants t on t.id = w.tenant_id
  where w.shard = any(p_shards) and w.beside and p_beside
  union all
  select w.id, w.tenant_id, w.rule, w.pid, w.set_position, w.set_count, w.set_at, w.generation, w.chain,
         w.root, w.actor, w.runs, w.first_run, w.last_run, w.tag, w.trace, t.tree_version, w.quiet, w.quarantine, w.attempt, w.due, w.acting
  from wakings w join tenants t on t.id = w.tenant_id
  where w.shard = any(p_shards) and not w.beside and not p_beside
  order by 1
$$;

create function read_sets(p_tenants uuid[], p_positions bigint[], p_counts int[], p_at timestamptz[])
returns table (tenant_id uuid, set_position bigint, "position" bigint, pid bigint, key text, value text, previous text, source text)
language sql stable security definer set search_path = pg_catalog, public as $$
  select u.tenant_id, u.pos, e.position, e.pid, e.key, e.value::text, e.previous::text, e.source
  from unnest(p_tenants, p_positions, p_counts, p_at) u(tenant_id, pos, n, at)
  cross join lateral (
    select * from events e
    where e.tenant_id = u.tenant_id and e.position >= u.pos and e.position < u.pos + u.n and e.at = u.at offset 0) e
  order by 1, 2, 3
$$;

-- Tenants as the pump needs them when it first meets them under a lease.
create function read_tenants(p_tenants uuid[])
returns table (tenant_id uuid, "position" bigint, run bigint, at timestamptz, time_zone text, tree_version bigint, keys text[])
language plpgsql stable security definer as $$
#variable_conflict use_column
begin
  return query
    select t.id, coalesce(h.position, 0), coalesce(h.run, 0), h.at, t.time_zone, k.tree_version, k.keys
    from unnest(p_tenants) u(tenant_id)
    cross join lateral (select * from public.tenants n where n.id = u.tenant_id offset 0) t
    left join lateral (select * from public.heads n where n.tenant_id = u.tenant_id offset 0) h on true
    left join lateral (select * from public.trees n where n.tenant_id = u.tenant_id offset 0) k on true;
end
$$;

-- The KVPs of processes.
create function read_state(p_tenants uuid[], p_pids bigint[]) returns table (tenant_id uuid, pid bigint, key text, value text)
language plpgsql stable security definer as $$
#variable_conflict use_column
begin
  return query
    select u.tenant_id, u.pid, k.key, k.value::text
    from unnest(p_tenants, p_pids) u(tenant_id, pid)
    cross join lateral (select k.key, k.value from public.kvps k where k.tenant_id = u.tenant_id and k.pid = u.pid offset 0) k;
end
$$;

-- The commit of a slice: one statement that calls the functions below, fence_slice first, so one transaction. The leases' rows are the fence: without one of them, under
-- the epoch that the worker knows, everything is refused (ED001); while it is locked, nobody can take the shard. Its slice number tells
-- afterwards whether a commit happened whose answer was lost. ED002: what the worker knows of the line is out of date, which no arrival is to blame for.
create function fence_slice(
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
  delete from public.arrivals where ctid = any(array(
    select a.ctid from unnest(p_done_shards, p_done) d(shard, id)
    cross join lateral (select l.ctid from public.arrivals l where l.shard = d.shard and l.id = d.id offset 0) a));
  get diagnostics v_count = row_count;
  if v_count <> cardinality(p_done) then
    raise exception 'shards %: % of % arrivals are gone from the line', p_shards, cardinality(p_done) - v_count, cardinality(p_done) using errcode = 'ED002';
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

create function append_events(
  p_tenants uuid[], p_positions bigint[], p_at timestamptz[], p_pids bigint[], p_keys text[], p_values text[], p_previous text[],
  p_actors text[], p_sources text[], p_causes bigint[], p_sets bigint[], p_roots uuid[])
returns void
language plpgsql security definer as $$
begin
  insert into public.events (tenant_id, position, at, pid, key, value, previous, actor, source, cause, set_position, root)
  select e.tenant_id, e.position, e.at, e.pid, e.key, e.value::jsonb, e.previous::jsonb, e.actor, e.source, e.cause, e.set_position, e.root
  from unnest(p_tenants, p_positions, p_at, p_pids, p_keys, p_values, p_previous, p_actors, p_sources, p_causes, p_sets, p_roots)
    e(tenant_id, position, at, pid, key, value, previous, actor, source, cause, set_position, root);
end
$$;

create function make_processes(p_tenants uuid[], p_pids bigint[], p_kinds text[], p_parents bigint[], p_at timestamptz[]) returns void
language plpgsql security definer as $$
begin
  insert into public.processes as p (tenant_id, pid, kind, parent, created_at)
  select * from unnest(p_tenants, p_pids, p_kinds, p_parents, p_at)
  on conflict (tenant_id, pid) do update set kind = excluded.kind, parent = excluded.parent
  where p.kind is distinct from excluded.kind or p.parent is distinct from excluded.parent;
end
$$;

-- A process is there as long as it has KVPs.
create function remove_processes(p_tenants uuid[], p_pids bigint[]) returns void
language plpgsql security definer as $$
begin
  delete from public.processes where ctid = any(array(
    select o.ctid from unnest(p_tenants, p_pids) x(tenant_id, pid)
    cross join lateral (select p.ctid from public.processes p where p.tenant_id = x.tenant_id and p.pid = x.pid offset 0) o));
end
$$;

-- One value a KVP: the last.
create function fold_kvps(
  p_tenants uuid[], p_pids bigint[], p_keys text[], p_values text[], p_txt text[], p_num float8[], p_at timestamptz[], p_positions bigint[])
returns void
language plpgsql security definer as $$
begin
  insert into public.kvps (tenant_id, pid, key, value, txt, num, at, position)
  select k.tenant_id, k.pid, k.key, k.value::jsonb, k.txt, k.num, k.at, k.position
  from unnest(p_tenants, p_pids, p_keys, p_values, p_txt, p_num, p_at, p_positions) k(tenant_id, pid, key, value, txt, num, at, position)
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

-- From now on processes are found by this key. The head is locked: a commit under way ends first, and the next one sees the key. False where a tenant has
-- as many keys as it may: then all its processes are looked through.
create function look_up(p_tenant uuid, p_key text) returns boolean
language plpgsql security definer as $$
begin
  perform from public.heads h where h.tenant_id = p_tenant for update;
  if exists (select from public.looked_up l where l.tenant_id = p_tenant and l.key = p_key) then
    return true;
  end if;
  if (select count(*) from public.looked_up l where l.tenant_id = p_tenant) >= 100 then
    return false;
  end if;
  insert into public.looked_up (tenant_id, key) values (p_tenant, p_key) on conflict do nothing;
  insert into public.kvp_index (tenant_id, key, pid, txt, num, at)
  select k.tenant_id, k.key, k.pid, k.txt, k.num, k.at from public.kvps k where k.tenant_id = p_tenant and k.key = p_key and k.pid > 0
  on conflict do nothing;
  return true;
end
$$;

create function remove_kvps(p_tenants uuid[], p_pids bigint[], p_keys text[]) returns void
language plpgsql security definer as $$
begin
  delete from public.kvps where ctid = any(array(
    select k.ctid from unnest(p_tenants, p_pids, p_keys) x(tenant_id, pid, key)
    cross join lateral (select o.ctid from public.kvps o where o.tenant_id = x.tenant_id and o.pid = x.pid and o.key = x.key offset 0) k));
  if exists (select from public.looked_up l where l.tenant_id = any(p_tenants)) then
    delete from public.kvp_index i using unnest(p_tenants, p_pids, p_keys) x(tenant_id, pid, key)
    where i.tenant_id = x.tenant_id and i.key = x.key and i.pid = x.pid;
  end if;
end
$$;

-- Rules whose checks said no come as the text of an array.
create function append_runs(
  p_tenants uuid[], p_ids bigint[], p_at timestamptz[], p_rules text[], p_said_no text[], p_trees bigint[], p_pids bigint[], p_sets bigint[], p_roots uuid[],
  p_generations int[], p_outcomes smallint[], p_first bigint[], p_changes int[], p_elapsed bigint[], p_cpu bigint[], p_logs text[], p_errors text[], p_traces text[], p_calls text[])
returns void
language plpgsql security definer as $$
begin
  insert into public.runs (tenant_id, id, at, rule, said_no, tree_version, pid, set_position, root, generation, outcome, first_position, changes,
    elapsed_us, cpu_us, log, error, trace, calls)
  select r.tenant_id, r.id, r.at, r.rule, r.said_no::text[], r.tree, r.pid, r.set_position, r.root, r.generation, r.outcome, r.first, r.changes,
    r.elapsed, r.cpu, r.log, r.error::jsonb, r.trace, r.calls::jsonb
  from unnest(p_tenants, p_ids, p_at, p_rules, p_said_no, p_trees, p_pids, p_sets, p_roots, p_generations, p_outcomes, p_first, p_changes,
    p_elapsed, p_cpu, p_logs, p_errors, p_traces, p_calls)
    r(tenant_id, id, at, rule, said_no, tree, pid, set_position, root, generation, outcome, first, changes, elapsed, cpu, log, error, trace, calls);
end
$$;

-- What a cascade still owes takes the place of what it owed.
create function owe_runs(
  p_paid_tenants uuid[], p_paid bigint[],
  p_tenants uuid[], p_rules text[], p_pids bigint[], p_sets bigint[], p_counts int[], p_set_at timestamptz[], p_generations int[], p_chains text[],
  p_roots uuid[], p_actors text[], p_runs int[], p_first_runs bigint[], p_last_runs bigint[], p_tags text[], p_traces text[], p_beside boolean[],
  p_quiet boolean[], p_quarantine bigint[], p_attempts int[], p_due boolean[], p_acting text[])
returns void
language plpgsql security definer as $$
declare
  v_count int;
begin
  delete from public.wakings where ctid = any(array(
    select w.ctid from unnest(p_paid_tenants, p_paid) d(tenant_id, id)
    cross join lateral (select o.ctid from public.wakings o where o.tenant_id = d.tenant_id and o.id = d.id offset 0) w));
  get diagnostics v_count = row_count;
  if v_count <> cardinality(p_paid) then
    raise exception '% of % owed runs are gone', cardinality(p_paid) - v_count, cardinality(p_paid) using errcode = 'ED002';
  end if;
  insert into public.wakings (tenant_id, shard, rule, pid, set_position, set_count, set_at, generation, chain, root, actor, runs, first_run, last_run, tag, trace, beside, quiet, quarantine, attempt, due, acting)
  select w.tenant_id, get_byte(uuid_send(w.tenant_id), 15) & 63, w.rule, w.pid, w.set_position, w.set_count, w.set_at, w.generation, w.chain::text[], w.root, w.actor, w.runs,
    w.first_run, w.last_run, w.tag, w.trace, w.beside, w.quiet, w.quarantine, w.attempt, w.due, w.acting
  from unnest(p_tenants, p_rules, p_pids, p_sets, p_counts, p_set_at, p_generations, p_chains, p_roots, p_actors, p_runs, p_first_runs,
    p_last_runs, p_tags, p_traces, p_beside, p_quiet, p_quarantine, p_attempts, p_due, p_acting)
    with ordinality w(tenant_id, rule, pid, set_position, set_count, set_at, generation, chain, root, actor, runs, first_run, last_run, tag, trace, beside, quiet, quarantine, attempt, due, acting, n)
  order by w.n;
end
$$;

create function refuse_arrivals(
  p_tenants uuid[], p_arrivals uuid[], p_pids bigint[], p_kvps text[], p_actors text[], p_sources text[], p_received timestamptz[], p_reasons text[])
returns void
language sql security definer set search_path = pg_catalog, public as $$
  insert into refused (tenant_id, arrival, pid, kvps, actor, source, received_at, refused_at, reason)
  select f.tenant_id, f.arrival, f.pid, f.kvps, f.actor, f.source, f.received, clock_timestamp(), f.reason
  from unnest(p_tenants, p_arrivals, p_pids, p_kvps, p_actors, p_sources, p_received, p_reasons)
    f(tenant_id, arrival, pid, kvps, actor, source, received, reason)
  on conflict do nothing
$$;

create function tell_doors(p_channels text[], p_payloads text[]) returns void
language plpgsql security definer as $$
begin
  perform pg_notify(t.channel, t.payload) from unnest(p_channels, p_payloads) t(channel, payload);
end
$$;

-- After a commit whose answer was lost: the number of the last slice that was committed under this lease; null where it is lost.
-- The lock waits for a commit that is still under way.
create function last_slice(p_worker uuid, p_shard smallint, p_epoch bigint) returns bigint
language sql security definer set search_path = pg_catalog, public as $$
  select slice from leases where shard = p_shard and owner = p_worker and epoch = p_epoch for update
$$;

create function note_tree(
  p_tenant uuid, p_version bigint, p_keys text[], p_faults text, p_logs text, p_scheduled text[], p_crons text[], p_asked text[], p_next timestamptz[], p_time_zone text)
returns void
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  insert into trees as t (tenant_id, tree_version, keys, faults, logs) values (p_tenant, p_version, p_keys, p_faults::jsonb, p_logs::jsonb)
  on conflict (tenant_id) do update set tree_version = excluded.tree_version, keys = excluded.keys, faults = excluded.faults, logs = excluded.logs
  where t.tree_version < excluded.tree_version;
  -- A worker that was late would put back what was before.
  if found then
    perform note_schedules(p_tenant, p_scheduled, p_crons, p_asked, p_next, p_time_zone);
  end if;
end
$$;

create function prune_idempotency(p_before timestamptz) returns int
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
  v_count int;
begin
  delete from idempotency where (tenant_id, key) in (select tenant_id, key from idempotency where at < p_before limit 10000);
  get diagnostics v_count = row_count;
  delete from doors where at < p_before;
  return v_count;
end
$$;
