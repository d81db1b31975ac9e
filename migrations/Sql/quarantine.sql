-- Runs that failed, or were put aside, until they are tried again.
create table quarantine (
  tenant_id uuid not null,
  id bigint generated always as identity,
  rule text not null,
  pid bigint not null,
  -- What woke it, as an arrival brings it back.
  waking jsonb not null,
  -- Failed; or put aside: its rule is switched off, it waits for one before it, its cascade was stopped.
  kind text not null check (kind in ('failed', 'off', 'held', 'stopped')),
  -- The rule keeps the order of its runs in a process.
  holds boolean not null,
  -- How often it failed, first and last; the last run's number.
  tries int not null,
  first_at timestamptz not null,
  at timestamptz not null,
  run bigint,
  error jsonb,
  -- An arrival that tries it again is in the line.
  retrying boolean not null default false,
  primary key (tenant_id, id)
);
create index quarantine_rule on quarantine (tenant_id, rule, pid, id);
create index quarantine_pid on quarantine (tenant_id, pid, id);

-- Rules that are switched off, until their text changes or somebody switches them on.
create table rule_switches (
  tenant_id uuid not null,
  rule text not null,
  off_at timestamptz not null,
  off_by text not null,
  reason text not null,
  primary key (tenant_id, rule)
);

-- Puts these runs into the line again, in their order.
create function wake_again(p_tenant uuid, p_ids bigint[]) returns void
language plpgsql security definer as $$
declare
  v_shard smallint := get_byte(uuid_send(p_tenant), 15) & 63;
begin
  insert into public.arrivals (shard, tenant_id, arrival, pid, wake_pid, fresh, kvps, actor, source, received_at, trace, waking)
  select v_shard, q.tenant_id, gen_random_uuid(), q.pid, q.pid, false, '[]', q.waking->>'actor', 'quarantine', clock_timestamp(), q.waking->>'trace',
    (q.waking || jsonb_build_object('quarantine', q.id))::text
  from public.quarantine q where q.tenant_id = p_tenant and q.id = any(p_ids) order by q.id;
  update public.quarantine q set retrying = true where q.tenant_id = p_tenant and q.id = any(p_ids);
  perform pg_notify('eddy_arrivals', v_shard::text);
end
$$;

-- Tries again what is in quarantine: of a rule, of all rules of a file, of a kind, or one. How many go into the line now; of a rule that keeps the order of its runs the
-- first of each process goes, and the others follow it.
create function retry_quarantined(p_tenant uuid, p_rule text, p_path text, p_kind text, p_id bigint) returns int
language plpgsql security definer as $$
declare
  v_ids bigint[];
begin
  select array_agg(c.id order by c.id) into v_ids from (
    select q.id, q.retrying, q.holds, row_number() over (partition by q.rule, q.pid order by q.id) as n
    from public.quarantine q
    where q.tenant_id = p_tenant and (p_rule is null or q.rule = p_rule) and (p_path is null or starts_with(q.rule, p_path || ':'))) c
  join public.quarantine q on q.tenant_id = p_tenant and q.id = c.id
  where not c.retrying and (c.n = 1 or not c.holds) and (p_id is null or c.id = p_id) and (p_kind is null or q.kind = p_kind);
  if v_ids is null then
    return 0;
  end if;
  perform public.wake_again(p_tenant, v_ids);
  return cardinality(v_ids);
end
$$;

-- What the runs of a slice came to: those that failed or were put aside come in (p_ids: they were there before), those that ended well are let go. Where a rule
-- keeps the order of its runs, the next one follows. A rule that used up its limits is switched off.
create function quarantine_runs(
  p_tenants uuid[], p_ids bigint[], p_rules text[], p_pids bigint[], p_wakings text[], p_kinds text[], p_holds boolean[], p_at timestamptz[], p_runs bigint[], p_errors text[],
  p_gone_tenants uuid[], p_gone bigint[], p_off_tenants uuid[], p_off_rules text[], p_off_at timestamptz[], p_off_reasons text[])
returns void
language plpgsql security definer as $$
declare
  v_gone record;
  v_next bigint;
begin
  insert into public.quarantine (tenant_id, rule, pid, waking, kind, holds, tries, first_at, at, run, error)
  select q.tenant_id, q.rule, q.pid, q.waking::jsonb, q.kind, q.holds, case when q.run is null then 0 else 1 end, q.at, q.at, q.run, q.error::jsonb
  from unnest(p_tenants, p_ids, p_rules, p_pids, p_wakings, p_kinds, p_holds, p_at, p_runs, p_errors) with ordinality
    q(tenant_id, id, rule, pid, waking, kind, holds, at, run, error, n)
  where q.id is null order by q.n;
  -- Without a kind it is as it was.
  update public.quarantine o
  set retrying = false, kind = coalesce(q.kind, o.kind), holds = coalesce(q.holds, o.holds), at = q.at, run = coalesce(q.run, o.run), error = coalesce(q.error::jsonb, o.error),
    tries = o.tries + case when q.run is null then 0 else 1 end
  from unnest(p_tenants, p_ids, p_kinds, p_holds, p_at, p_runs, p_errors) q(tenant_id, id, kind, holds, at, run, error)
  where q.id is not null and o.tenant_id = q.tenant_id and o.id = q.id;
  for v_gone in
    delete from public.quarantine q using unnest(p_gone_tenants, p_gone) g(tenant_id, id)
    where q.tenant_id = g.tenant_id and q.id = g.id
    returning q.tenant_id, q.rule, q.pid, q.holds
  loop
    if v_gone.holds then
      select q.id into v_next from public.quarantine q where q.tenant_id = v_gone.tenant_id and q.rule = v_gone.rule and q.pid = v_gone.pid order by q.id limit 1;
      if found then
        perform public.wake_again(v_gone.tenant_id, array[v_next]);
      end if;
    end if;
  end loop;
  insert into public.rule_switches (tenant_id, rule, off_at, off_by, reason)
  select o.tenant_id, o.rule, o.at, 'eddy', o.reason from unnest(p_off_tenants, p_off_rules, p_off_at, p_off_reasons) o(tenant_id, rule, at, reason)
  on conflict do nothing;
end
$$;
