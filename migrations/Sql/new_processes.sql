-- What a commit writes of processes that its own arrivals have made: nobody else can have made them, so nothing is there that it could meet. An insert that looks out for
-- conflicts costs half as much again, for it marks each row first and confirms it then.
create function add_processes(p_tenants uuid[], p_pids bigint[], p_kinds text[], p_parents bigint[], p_at timestamptz[]) returns void
language plpgsql security definer as $$
begin
  insert into public.processes (tenant_id, pid, kind, parent, created_at)
  select * from unnest(p_tenants, p_pids, p_kinds, p_parents, p_at);
end
$$;

create function add_kvps(
  p_tenants uuid[], p_pids bigint[], p_keys text[], p_values text[], p_txt text[], p_num float8[], p_at timestamptz[], p_positions bigint[])
returns void
language plpgsql security definer as $$
begin
  insert into public.kvps (tenant_id, pid, key, value, txt, num, at, position)
  select k.tenant_id, k.pid, k.key, k.value::jsonb, k.txt, k.num, k.at, k.position
  from unnest(p_tenants, p_pids, p_keys, p_values, p_txt, p_num, p_at, p_positions) k(tenant_id, pid, key, value, txt, num, at, position);
  if exists (select from public.looked_up l where l.tenant_id = any(p_tenants)) then
    insert into public.kvp_index (tenant_id, key, pid, txt, num, at)
    select k.tenant_id, k.key, k.pid, k.txt, k.num, k.at
    from unnest(p_tenants, p_pids, p_keys, p_txt, p_num, p_at) k(tenant_id, pid, key, txt, num, at)
    join public.looked_up l on l.tenant_id = k.tenant_id and l.key = k.key;
  end if;
end
$$;

do $$
declare
  v_function regprocedure;
begin
  for v_function in select p.oid::regprocedure from pg_proc p where p.pronamespace = 'public'::regnamespace and p.proname in ('add_processes', 'add_kvps') loop
    execute format('revoke all on function %s from public', v_function);
    execute format('grant execute on function %s to eddy_app', v_function);
    execute format('alter function %s owner to eddy_system', v_function);
  end loop;
end
$$;
