-- What replays change in what was there.
create or replace function defer_runs(
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
      set pid = excluded.pid, due = excluded.due, wakings = f.wakings + 1,
        -- A replay that tells nobody anything (its arrival's number has version 8) must not silence what it is put together with.
        waking = case when substr(excluded.waking->>'root', 15, 1) = '8' then jsonb_set(excluded.waking, '{root}', f.waking->'root') else excluded.waking end;
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
