-- What the door does across tenants. A function in the language sql is planned anew at every call; these are called often, so they are not.
-- Nor do they set search_path, for that costs more than what most of them do: every name in them is qualified instead.

-- Whose keys have these hashes, by their place in the list. Those that are in force: one that acts as a person is, as long as that person belongs to the tenant.
create function resolve_keys(p_hashes bytea[])
returns table (n int, tenant_id uuid, slug text, time_zone text, key_id uuid, name text, scopes text[], person_id uuid, role text, address text, is_proven boolean)
language plpgsql stable security definer as $$
#variable_conflict use_column
begin
  return query
    select u.n::int, k.tenant_id, t.slug, t.time_zone, k.id, k.name, k.scopes, k.person_id, m.role, m.email::text, m.email_confirmed
    from unnest(p_hashes) with ordinality u(hash, n)
    cross join lateral (select * from public.api_keys k where k.hash = u.hash and k.revoked_at is null offset 0) k
    cross join lateral (select n.slug, n.time_zone from public.tenants n where n.id = k.tenant_id offset 0) t
    left join lateral (
      select m.role, p.email, p.email_confirmed from public.members m join public.people p on p.id = m.person_id
      where m.tenant_id = k.tenant_id and m.person_id = k.person_id and p.email is not null offset 0) m on true
    where k.person_id is null or m.role is not null;
end
$$;

create function note_key_use(p_tenants uuid[], p_keys uuid[], p_at timestamptz[]) returns void
language sql security definer set search_path = pg_catalog, public as $$
  update api_keys k set last_used_at = greatest(k.last_used_at, u.at)
  from unnest(p_tenants, p_keys, p_at) u(tenant_id, id, at)
  where k.tenant_id = u.tenant_id and k.id = u.id
$$;

-- Blocks of process numbers: for each tenant the first of as many as were asked for. In one order, so that two doors can not deadlock.
create function draw_pids(p_tenants uuid[], p_counts int[]) returns table (tenant_id uuid, first bigint)
language plpgsql security definer as $$
#variable_conflict use_column
begin
  return query
    insert into public.pids as p (tenant_id, next)
    select u.tenant_id, 1 + u.n from unnest(p_tenants, p_counts) u(tenant_id, n) order by 1
    on conflict (tenant_id) do update set next = p.next + excluded.next - 1
    returning p.tenant_id, p.next - (select c.n from unnest(p_tenants, p_counts) c(tenant_id, n) where c.tenant_id = p.tenant_id);
end
$$;

-- Which of these processes exist, or will by an arrival that waits. Arrivals of a shard are few (the door holds back before they are many).
create function known_pids(p_tenant uuid, p_pids bigint[]) returns setof bigint
language plpgsql stable security definer as $$
#variable_conflict use_column
begin
  return query
    select u.pid from unnest(p_pids) u(pid)
    where exists (select from public.processes p where p.tenant_id = p_tenant and p.pid = u.pid)
       or exists (select from public.arrivals a
                  where a.shard = get_byte(uuid_send(p_tenant), 15) & 63 and a.tenant_id = p_tenant and (a.pid = u.pid or a.wake_pid = u.pid));
end
$$;

-- One flush of a door: all its arrivals or none, in one transaction, and once: a flush whose answer was lost may still be under way in a backend that nobody
-- listens to any more, and whichever comes second is refused (ED003). A request with an idempotency key goes in only if its row does;
-- the numbers of those that did not come back. An arrival's p_request is 0 where it has no such key.
create function append_arrivals(
  p_door uuid, p_flush bigint, p_at timestamptz, p_notify text,
  p_shards smallint[], p_tenants uuid[], p_arrivals uuid[], p_pids bigint[], p_wake_pids bigint[], p_fresh boolean[],
  p_kvps text[], p_actors text[], p_sources text[], p_tags text[], p_traces text[], p_requests int[],
  p_request_tenants uuid[], p_request_keys text[], p_fingerprints bytea[], p_answers text[])
returns int[]
language plpgsql security definer as $$
declare
  v_known int[] := '{}';
begin
  insert into public.doors as d (door, flush, at) values (p_door, p_flush, p_at)
  on conflict (door) do update set flush = excluded.flush, at = excluded.at where d.flush < excluded.flush;
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

-- After a flush whose answer was lost: the number of the last flush that was committed. The lock waits for one that is still under way; one that has
-- not begun yet is stopped by append_arrivals.
create function last_flush(p_door uuid) returns bigint
language sql security definer set search_path = pg_catalog, public as $$
  select flush from doors where door = p_door for update
$$;

-- Which of these arrivals are not settled: they wait in the line, or their cascade owes runs; and which were refused.
create function arrivals_left(p_tenants uuid[], p_arrivals uuid[]) returns table (arrival uuid, is_line boolean, is_refused boolean)
language plpgsql stable security definer as $$
#variable_conflict use_column
begin
  return query
    select l.arrival, l.is_line, l.is_refused from (
      select u.arrival,
        exists (select from public.arrivals a
                where a.shard = get_byte(uuid_send(u.tenant_id), 15) & 63 and a.tenant_id = u.tenant_id and a.arrival = u.arrival) as is_line,
        exists (select from public.wakings w where w.tenant_id = u.tenant_id and w.root = u.arrival) as is_owed,
        exists (select from public.refused r where r.tenant_id = u.tenant_id and r.arrival = u.arrival) as is_refused
      from unnest(p_tenants, p_arrivals) u(tenant_id, arrival)) l(arrival, is_line, is_owed, is_refused)
      where l.is_line or l.is_owed or l.is_refused;
end
$$;

create function refusal_reason(p_tenant uuid, p_arrival uuid) returns text
language sql stable security definer set search_path = pg_catalog, public as $$
  select reason from refused where tenant_id = p_tenant and arrival = p_arrival
$$;

-- Tenants with more than p_over arrivals in these shards (all of them where null), most first; the sum has no tenant.
create function backlogs(p_shards smallint[], p_over int) returns table (tenant_id uuid, waiting bigint)
language sql stable security definer set search_path = pg_catalog, public as $$
  with line as (
    select a.tenant_id, count(*) as waiting
    from unnest(coalesce(p_shards, (select array_agg(s::smallint) from generate_series(0, 63) s))) u(shard)
    cross join lateral (select a.tenant_id from arrivals a where a.shard = u.shard limit 20000) a
    group by 1)
  select null::uuid, coalesce(sum(l.waiting), 0)::bigint from line l
  union all
  (select l.tenant_id, l.waiting from line l where l.waiting > p_over order by 2 desc limit 100)
$$;

-- How long the oldest arrival has waited; null where none does.
create function oldest_arrival() returns timestamptz
language sql stable security definer set search_path = pg_catalog, public as $$
  select min(a.received_at)
  from generate_series(0, 63) s
  cross join lateral (select received_at from arrivals where shard = s::smallint order by id limit 1) a
$$;

create function idempotency_answer(p_tenant uuid, p_key text) returns table (fingerprint bytea, answer jsonb)
language plpgsql stable security definer as $$
#variable_conflict use_column
begin
  return query
    select fingerprint, answer from public.idempotency where tenant_id = p_tenant and key = p_key;
end
$$;
