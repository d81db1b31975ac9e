-- How many mails went out within the hour: one row for each receiver of a mail, written before it is handed over for the first time, and forgotten once the mail is not tried any more.
create table handed_mails (
  tenant_id uuid not null,
  mail bigint not null,
  -- In the form in which addresses are compared.
  receiver text not null,
  pid bigint not null,
  at timestamptz not null,
  primary key (tenant_id, mail, receiver)
);
-- "How many went out within the hour?" of one process, to one receiver, of all.
create index handed_mails_pid on handed_mails (tenant_id, pid, at);
create index handed_mails_receiver on handed_mails (tenant_id, receiver, at);
create index handed_mails_at on handed_mails (tenant_id, at);
alter table handed_mails enable row level security;
alter table handed_mails force row level security;
create policy tenant on handed_mails using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
grant select, insert, delete on handed_mails to eddy_system;

-- Which of these receivers may be handed a mail now. Whoever may is counted, once for all tries. Who may not is told of by the limit ('process', 'receiver' or 'tenant', or 'circle', where a process writes to the same receiver again and again) and the time at which there is
-- room again, a minute from now at least, so that many that wait are not looked at all the time.
create function admit_mail(p_tenant uuid, p_mail bigint, p_pid bigint, p_receivers text[], p_now timestamptz, p_per_process int, p_per_receiver int, p_per_tenant int)
returns table (receiver text, cut text, until timestamptz)
language plpgsql security definer set search_path = pg_catalog, public set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off as $$
#variable_conflict use_column
declare
  v_since timestamptz := p_now - interval '1 hour';
  v_receiver text;
  v_of_process int;
  v_of_tenant int;
  v_cut text;
  v_at timestamptz;
begin
  -- Two workers would both find the last place.
  perform pg_advisory_xact_lock(hashtextextended('mail ' || p_tenant::text, 0));
  select count(*) into v_of_process from (select from handed_mails h where h.tenant_id = p_tenant and h.pid = p_pid and h.at > v_since limit p_per_process) h;
  select count(*) into v_of_tenant from (select from handed_mails h where h.tenant_id = p_tenant and h.at > v_since limit p_per_tenant) h;
  foreach v_receiver in array p_receivers loop
    v_cut := null;
    v_at := null;
    if not exists (select from handed_mails h where h.tenant_id = p_tenant and h.mail = p_mail and h.receiver = v_receiver) then
      -- There is room when the last of as many as the limit allows is an hour old.
      if v_of_process >= p_per_process then
        v_cut := 'process';
        select h.at into v_at from handed_mails h where h.tenant_id = p_tenant and h.pid = p_pid and h.at > v_since order by h.at desc offset p_per_process - 1 limit 1;
        if (select count(*) from handed_mails h where h.tenant_id = p_tenant and h.receiver = v_receiver and h.at > v_since and h.pid = p_pid) >= greatest(p_per_process / 6, 1) then
          v_cut := 'circle';
        end if;
      else
        select h.at into v_at from handed_mails h where h.tenant_id = p_tenant and h.receiver = v_receiver and h.at > v_since order by h.at desc offset p_per_receiver - 1 limit 1;
        if found then
          v_cut := 'receiver';
        elsif v_of_tenant >= p_per_tenant then
          v_cut := 'tenant';
          select h.at into v_at from handed_mails h where h.tenant_id = p_tenant and h.at > v_since order by h.at desc offset p_per_tenant - 1 limit 1;
        else
          insert into handed_mails (tenant_id, mail, receiver, pid, at) values (p_tenant, p_mail, v_receiver, p_pid, p_now);
          v_of_process := v_of_process + 1;
          v_of_tenant := v_of_tenant + 1;
        end if;
      end if;
    end if;
    receiver := v_receiver;
    cut := v_cut;
    until := case when v_cut is not null then greatest(v_at + interval '1 hour', p_now + interval '1 minute') end;
    return next;
  end loop;
end
$$;

-- As in delivery.sql; what was held back was not tried.
drop function note_mail(uuid, bigint, uuid, text, timestamptz, timestamptz, text[], text, text);
create function note_mail(
  p_tenant uuid, p_id bigint, p_lease uuid, p_state text, p_next timestamptz, p_at timestamptz, p_delivered text[], p_refused text, p_error text, p_tried boolean) returns boolean
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  update outbox
  set lease = null, state = p_state, next_at = coalesce(p_next, next_at), ended_at = case when p_state <> 'waiting' then p_at end, delivered = p_delivered, refused = p_refused::jsonb, error = p_error,
    tries = case when p_tried then tries else tries - 1 end, first_at = case when p_tried or tries > 1 then first_at end
  where tenant_id = p_tenant and id = p_id and lease = p_lease;
  return found;
end
$$;

create function prune_handed(p_before timestamptz) returns int
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
  v_count int;
begin
  delete from handed_mails where ctid = any(array(select h.ctid from handed_mails h where h.at < p_before limit 10000));
  get diagnostics v_count = row_count;
  return v_count;
end
$$;

do $$
declare
  v_function regprocedure;
begin
  for v_function in select p.oid::regprocedure from pg_proc p where p.pronamespace = 'public'::regnamespace and p.proname in ('admit_mail', 'note_mail', 'prune_handed') loop
    execute format('alter function %s owner to eddy_system', v_function);
    execute format('revoke all on function %s from public', v_function);
    execute format('grant execute on function %s to eddy_app', v_function);
  end loop;
end
$$;
