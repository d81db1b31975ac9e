-- "Which keys did a process have that it has no more?" Most events remove nothing, and cost this nothing. An index by key over all events would cost more than
-- half of what writing an event does.
create index events_removed on events (tenant_id, pid, position) where value is null;

-- The last position of a tenant's log at this moment; 0 where the log begins later. Positions and moments rise together, so halves are
-- taken; an index by moment would be paid for by every event.
create function position_at(p_tenant uuid, p_at timestamptz) returns bigint
language plpgsql stable as $$
declare
  v_known bigint;
  v_later bigint;
  v_middle bigint;
  v_position bigint;
  v_at timestamptz;
begin
  select e.position, e.at into v_known, v_at from public.events e where e.tenant_id = p_tenant order by e.position limit 1;
  if v_known is null or p_at < v_at then
    return 0;
  end if;
  select e.position + 1 into v_later from public.events e where e.tenant_id = p_tenant order by e.position desc limit 1;
  while v_known + 1 < v_later loop
    v_middle := (v_known + v_later) / 2;
    select e.position, e.at into v_position, v_at from public.events e where e.tenant_id = p_tenant and e.position >= v_middle order by e.position limit 1;
    if v_at <= p_at then
      v_known := v_position;
    else
      v_later := v_middle;
    end if;
  end loop;
  return v_known;
end
$$;
revoke all on function position_at(uuid, timestamptz) from public;
grant execute on function position_at(uuid, timestamptz) to eddy_app;
