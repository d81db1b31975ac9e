-- A commit of many tenants has each head in its hand once: what is there is raised where its pump left it, what is not is made, and who is counted in neither is not as
-- the pump knows it.
create or replace function fence_slice(
  p_worker uuid, p_shards smallint[], p_epochs bigint[], p_slices bigint[], p_done_shards smallint[], p_done bigint[],
  p_tenants uuid[], p_before bigint[], p_positions bigint[], p_runs bigint[], p_at timestamptz[], p_cpu bigint[])
returns void
language plpgsql security definer as $$
declare
  v_count int;
  v_made int;
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
      select a.ctid from (select unnest(p_done_shards) as shard, unnest(p_done) as id) d
      cross join lateral (select l.ctid from public.arrivals l where l.shard = d.shard and l.id = d.id offset 0) a));
  end if;
  get diagnostics v_count = row_count;
  if v_count <> cardinality(p_done) then
    raise exception 'shards %: % of % arrivals are gone from the line', p_shards, cardinality(p_done) - v_count, cardinality(p_done) using errcode = 'ED002';
  end if;
  if cardinality(p_tenants) = 1 then
    update public.heads h set position = p_positions[1], run = p_runs[1], at = p_at[1], cpu_us = h.cpu_us + p_cpu[1]
    where h.tenant_id = p_tenants[1] and h.position = p_before[1];
    get diagnostics v_count = row_count;
  else
    update public.heads h set position = u.position, run = u.run, at = u.at, cpu_us = h.cpu_us + u.cpu
    from (
      select o.ctid, n.position, n.run, n.at, n.cpu
      from (
        select unnest(p_tenants) as tenant_id, unnest(p_before) as before, unnest(p_positions) as position, unnest(p_runs) as run, unnest(p_at) as at, unnest(p_cpu) as cpu) n
      cross join lateral (select h.ctid from public.heads h where h.tenant_id = n.tenant_id and h.position = n.before offset 0) o
      where n.before > 0) u
    where h.ctid = u.ctid;
    get diagnostics v_count = row_count;
  end if;
  if v_count < cardinality(p_tenants) and 0 = any(p_before) then
    insert into public.heads as h (tenant_id, position, run, at, cpu_us)
    select n.tenant_id, n.position, n.run, n.at, n.cpu
    from (
      select unnest(p_tenants) as tenant_id, unnest(p_before) as before, unnest(p_positions) as position, unnest(p_runs) as run, unnest(p_at) as at, unnest(p_cpu) as cpu) n
    where n.before = 0
    on conflict (tenant_id) do update set position = excluded.position, run = excluded.run, at = excluded.at, cpu_us = h.cpu_us + excluded.cpu_us
    where h.position = 0;
    get diagnostics v_made = row_count;
    v_count := v_count + v_made;
  end if;
  if v_count <> cardinality(p_tenants) then
    raise exception 'shards %: the head of a tenant is not where its pump left it', p_shards using errcode = 'ED002';
  end if;
end
$$;

-- Blocks of process numbers: for each tenant the first of as many as were asked for. In one order, so that two doors can not deadlock.
create or replace function draw_pids(p_tenants uuid[], p_counts int[]) returns table (tenant_id uuid, first bigint)
language plpgsql security definer as $$
#variable_conflict use_column
begin
  return query
    insert into public.pids as p (tenant_id, next)
    select n.tenant_id, 1 + n.count from (select unnest(p_tenants) as tenant_id, unnest(p_counts) as count) n order by 1
    on conflict (tenant_id) do update set next = p.next + excluded.next - 1
    returning p.tenant_id, p.next - p_counts[array_position(p_tenants, p.tenant_id)];
end
$$;
