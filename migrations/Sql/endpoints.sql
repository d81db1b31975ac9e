-- API scripts: what they want to change waits in the line as an arrival of its own kind, and what was called is recorded.

-- What a request came to, and what that depends on, as JSON for the pump alone. Such an arrival has no KVPs; it is applied only if nothing that it depends on has changed since.
alter table arrivals add column call text;
-- Nobody is paid for by those without.
create index arrivals_calls on arrivals (shard, id) where call is not null;

drop function read_slice(smallint[], uuid[], int);

-- The line of some shards, without the tenants that have work under way or have had their share. Taken by presence, never by a cursor: ids do not commit in their order. Requests go
-- before the rest, for somebody waits for each; of tenants that wait for one (p_held) nothing else comes.
create function read_slice(p_shards smallint[], p_without uuid[], p_limit int, p_held uuid[])
returns table (id bigint, shard smallint, tenant_id uuid, arrival uuid, pid bigint, wake_pid bigint, fresh boolean, kvps text, actor text, source text,
  received_at timestamptz, tag text, trace text, tree_version bigint, waking text, call text)
language plpgsql stable security definer as $$
#variable_conflict use_column
begin
  return query
    select a.id, a.shard, a.tenant_id, a.arrival, a.pid, a.wake_pid, a.fresh, a.kvps, a.actor, a.source, a.received_at, a.tag, a.trace, t.tree_version, a.waking, a.call
    from unnest(p_shards) s(shard)
    cross join lateral (
      (select * from public.arrivals l where l.shard = s.shard and l.call is not null and l.tenant_id <> all(p_without) order by l.id limit 64)
      union all
      (select * from public.arrivals l where l.shard = s.shard and l.call is null and l.tenant_id <> all(p_without) and l.tenant_id <> all(p_held) order by l.id limit p_limit)) a
    left join lateral (select n.tree_version from public.tenants n where n.id = a.tenant_id offset 0) t on true;
end
$$;

-- Puts what a request came to into the line.
create function append_call(p_shard smallint, p_tenant uuid, p_arrival uuid, p_wake_pid bigint, p_actor text, p_at timestamptz, p_tag text, p_trace text, p_call text) returns void
language plpgsql security definer as $$
begin
  insert into public.arrivals (shard, tenant_id, arrival, pid, wake_pid, fresh, kvps, actor, source, received_at, tag, trace, call)
  values (p_shard, p_tenant, p_arrival, 0, p_wake_pid, false, '[]', p_actor, 'api', p_at, p_tag, p_trace, p_call);
  perform pg_notify('eddy_arrivals', p_shard::text);
end
$$;

-- Which of these requests depend on what has changed since: by their number in the first three arrays. A process of -1 is whatever there is, -2 a file (its version, a blank, its path), -3 the key
-- in any process; no key is all of a process.
create function calls_in_conflict(p_tenants uuid[], p_snapshots bigint[], p_of int[], p_pids bigint[], p_keys text[]) returns setof int
language plpgsql stable security definer as $$
begin
  return query
    select c.n::int
    from unnest(p_tenants, p_snapshots) with ordinality c(tenant_id, snapshot, n)
    where exists (
        select from (select e.pid, e.key from public.events e where e.tenant_id = c.tenant_id and e.position > c.snapshot offset 0) e
        join unnest(p_of, p_pids, p_keys) r(call, pid, key) on r.call = c.n
          and (r.pid = -1 or r.pid = -3 and r.key = e.key or r.pid = e.pid and (r.key = '' or r.key = e.key)))
      or exists (
        select from unnest(p_of, p_pids, p_keys) r(call, pid, key)
        left join lateral (select f.version from public.files f where f.tenant_id = c.tenant_id and f.path = substr(r.key, strpos(r.key, ' ') + 1) offset 0) f on true
        where r.call = c.n and r.pid = -2 and coalesce(f.version, 0)::text <> split_part(r.key, ' ', 1));
end
$$;

-- After news that was lost: whether what this request came to is in force. It is not in the line any more.
create function call_landed(p_tenant uuid, p_arrival uuid) returns boolean
language sql stable security definer set search_path = pg_catalog, public as $$
  select exists (select from runs r where r.tenant_id = p_tenant and r.root = p_arrival)
$$;

-- Requests that were answered: each that failed or changed something, and of the others so many a second that a tenant's record stays readable.
create table endpoint_calls (
  tenant_id uuid not null,
  -- Told to the caller; that of the arrival where there is one.
  id uuid not null,
  at timestamptz not null,
  endpoint text not null,
  method text not null,
  path text not null,
  status smallint not null,
  actor text not null,
  -- It changed something, and its run is that of the arrival of this id.
  landed boolean not null,
  -- How often it was done again, because what it depends on had changed.
  conflicts smallint not null,
  tree_version bigint not null,
  elapsed_us bigint not null,
  cpu_us bigint not null,
  bytes_in int not null,
  bytes_out int not null,
  log text,
  error jsonb,
  calls jsonb,
  primary key (tenant_id, id)
);
create index endpoint_calls_endpoint on endpoint_calls (tenant_id, endpoint, id);
create index endpoint_calls_at on endpoint_calls (at);

-- All requests, recorded one by one or not.
create table endpoint_totals (
  tenant_id uuid not null,
  endpoint text not null,
  calls bigint not null,
  failed bigint not null,
  elapsed_us bigint not null,
  cpu_us bigint not null,
  last_at timestamptz not null,
  primary key (tenant_id, endpoint)
) with (fillfactor = 50);

alter table endpoint_calls enable row level security;
alter table endpoint_calls force row level security;
alter table endpoint_totals enable row level security;
alter table endpoint_totals force row level security;
create policy tenant on endpoint_calls using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
create policy tenant on endpoint_totals using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
grant select on endpoint_calls, endpoint_totals to eddy_app;
grant select, insert, update, delete on endpoint_calls, endpoint_totals to eddy_system;
grant select on files to eddy_system;

create function note_calls(
  p_tenants uuid[], p_ids uuid[], p_at timestamptz[], p_endpoints text[], p_methods text[], p_paths text[], p_statuses smallint[], p_actors text[], p_landed boolean[], p_conflicts smallint[],
  p_trees bigint[], p_elapsed bigint[], p_cpu bigint[], p_in int[], p_out int[], p_logs text[], p_errors text[], p_calls text[],
  p_total_tenants uuid[], p_total_endpoints text[], p_total_calls bigint[], p_total_failed bigint[], p_total_elapsed bigint[], p_total_cpu bigint[], p_total_at timestamptz[])
returns void
language plpgsql security definer as $$
begin
  insert into public.endpoint_calls
    (tenant_id, id, at, endpoint, method, path, status, actor, landed, conflicts, tree_version, elapsed_us, cpu_us, bytes_in, bytes_out, log, error, calls)
  select c.tenant_id, c.id, c.at, c.endpoint, c.method, c.path, c.status, c.actor, c.landed, c.conflicts, c.tree, c.elapsed, c.cpu, c.bytes_in, c.bytes_out, c.log, c.error::jsonb, c.calls::jsonb
  from unnest(p_tenants, p_ids, p_at, p_endpoints, p_methods, p_paths, p_statuses, p_actors, p_landed, p_conflicts, p_trees, p_elapsed, p_cpu, p_in, p_out, p_logs, p_errors, p_calls)
    c(tenant_id, id, at, endpoint, method, path, status, actor, landed, conflicts, tree, elapsed, cpu, bytes_in, bytes_out, log, error, calls)
  on conflict do nothing;
  insert into public.endpoint_totals as t (tenant_id, endpoint, calls, failed, elapsed_us, cpu_us, last_at)
  select * from unnest(p_total_tenants, p_total_endpoints, p_total_calls, p_total_failed, p_total_elapsed, p_total_cpu, p_total_at) u order by 1, 2
  on conflict (tenant_id, endpoint) do update set calls = t.calls + excluded.calls, failed = t.failed + excluded.failed, elapsed_us = t.elapsed_us + excluded.elapsed_us,
    cpu_us = t.cpu_us + excluded.cpu_us, last_at = greatest(t.last_at, excluded.last_at);
end
$$;

create function prune_calls(p_before timestamptz) returns int
language plpgsql security definer as $$
declare
  v_count int;
begin
  delete from public.endpoint_calls where ctid = any(array(select c.ctid from public.endpoint_calls c where c.at < p_before limit 10000));
  get diagnostics v_count = row_count;
  return v_count;
end
$$;

do $$
declare
  v_function regprocedure;
begin
  for v_function in select p.oid::regprocedure from pg_proc p where p.pronamespace = 'public'::regnamespace
    and p.proname in ('read_slice', 'append_call', 'calls_in_conflict', 'call_landed', 'note_calls', 'prune_calls') loop
    execute format('revoke all on function %s from public', v_function);
    execute format('grant execute on function %s to eddy_app', v_function);
    execute format('alter function %s owner to eddy_system', v_function);
  end loop;
end
$$;
