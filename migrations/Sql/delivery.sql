-- How mails of the outbox are delivered. A worker takes one under a lease, tries it, and writes down what came of it.
alter table outbox
  -- The same in all tries, made at the first.
  add message_id text,
  add tries int not null default 0,
  -- When it is tried next, and while a worker has it, when that one's lease is over. What is new is due whatever the clock says.
  add next_at timestamptz not null default '-infinity',
  -- Of the worker that has it now.
  add lease uuid,
  -- Of the first try: it is given up two days later.
  add first_at timestamptz,
  add ended_at timestamptz,
  add delivered text[] not null default '{}',
  -- Who is refused for good: {"address": "why"}.
  add refused jsonb not null default '{}',
  add error text,
  drop constraint outbox_state,
  add constraint outbox_state check (state in ('waiting', 'sent', 'partly', 'failed', 'cancelled')),
  add constraint outbox_ended check ((state = 'waiting') = (ended_at is null));
-- "When is something due?", "What is due of this tenant?"
create index outbox_due on outbox (next_at) where state = 'waiting';
create index outbox_waiting on outbox (tenant_id, next_at, id) where state = 'waiting';
-- "Which of our mails is this an answer to?"
create index outbox_message on outbox (tenant_id, message_id) where message_id is not null;
-- Owners retry and cancel by hand.
grant update (state, next_at, tries, first_at, ended_at, refused, lease) on outbox to eddy_app;

-- As in effects.sql, and wakes those who deliver.
create or replace function append_effects(
  p_tenants uuid[], p_ids bigint[], p_runs bigint[], p_pids bigint[], p_at timestamptz[], p_receivers text[], p_subjects text[], p_texts text[], p_htmls text[], p_attached text[],
  p_card_tenants uuid[], p_card_ids bigint[], p_card_runs bigint[], p_card_pids bigint[], p_card_at timestamptz[], p_names text[], p_users text[])
returns void
language plpgsql security definer as $$
begin
  insert into public.outbox (tenant_id, id, run, pid, at, receivers, subject, text, html, attached)
  select m.tenant_id, m.id, m.run, m.pid, m.at, array(select jsonb_array_elements_text(m.receivers::jsonb)), m.subject, m.text, m.html, m.attached::jsonb
  from unnest(p_tenants, p_ids, p_runs, p_pids, p_at, p_receivers, p_subjects, p_texts, p_htmls, p_attached) m(tenant_id, id, run, pid, at, receivers, subject, text, html, attached);
  insert into public.cards (tenant_id, id, run, pid, at, name, for_user)
  select * from unnest(p_card_tenants, p_card_ids, p_card_runs, p_card_pids, p_card_at, p_names, p_users);
  if cardinality(p_ids) > 0 then
    perform pg_notify('eddy_post', '');
  end if;
end
$$;

create or replace function send_platform_mail(p_at timestamptz, p_receiver text, p_subject text, p_text text) returns void
language sql security definer set search_path = pg_catalog, public as $$
  insert into outbox (tenant_id, id, run, pid, at, receivers, subject, text)
  select '00000000-0000-7000-8000-000000000000', n.run * 1000 + 1, n.run, 0, p_at, array[p_receiver], p_subject, p_text
  from (select nextval('platform_mails') as run) n;
  select pg_notify('eddy_post', '');
$$;

-- When a mail is due next, of whatever tenant; null for never.
create function next_mail() returns timestamptz
language sql stable security definer set search_path = pg_catalog, public set enable_seqscan = off as $$
  select next_at from outbox where state = 'waiting' order by next_at limit 1
$$;

-- Takes one mail that is due, of the first tenant after p_after that has one which nobody else is taking: so tenants have their turns, however much each of them sends. The lease is over at p_until,
-- and the mail is due again then.
create function take_mail(p_now timestamptz, p_until timestamptz, p_lease uuid, p_domain text, p_after uuid)
returns table (tenant_id uuid, id bigint, pid bigint, at timestamptz, message_id text, tries int, first_at timestamptz, slug text, name text, time_zone text,
  receivers text[], subject text, text text, html text, attached text, delivered text[], refused text, thread text[], answers text)
language plpgsql security definer set search_path = pg_catalog, public set enable_seqscan = off set enable_bitmapscan = off as $$
#variable_conflict use_column
declare
  v_tenant uuid := p_after;
  v_id bigint;
begin
  loop
    select o.tenant_id into v_tenant from outbox o where o.state = 'waiting' and o.tenant_id > v_tenant order by o.tenant_id limit 1;
    exit when not found;
    select o.id into v_id from outbox o where o.state = 'waiting' and o.tenant_id = v_tenant and o.next_at <= p_now order by o.next_at, o.id limit 1 for update skip locked;
    if found then
      return query
        update outbox o
        set lease = p_lease, next_at = p_until, tries = o.tries + 1, first_at = coalesce(o.first_at, p_now), message_id = coalesce(o.message_id, gen_random_uuid() || '@' || p_domain)
        from tenants t
        where o.tenant_id = v_tenant and o.id = v_id and t.id = o.tenant_id
        returning o.tenant_id, o.id, o.pid, o.at, o.message_id, o.tries, o.first_at, t.slug, t.name, t.time_zone,
          o.receivers, o.subject, o.text, o.html, o.attached::text, o.delivered, o.refused::text,
          array(select e.message_id from (
            select b.message_id, b.id from outbox b where o.pid > 0 and b.tenant_id = o.tenant_id and b.pid = o.pid and b.id < o.id and b.message_id is not null order by b.id desc limit 10) e order by e.id),
          (select k.value #>> '{}' from kvps k where o.pid > 0 and k.tenant_id = o.tenant_id and k.pid = o.pid and k.key = 'mail_message_id');
      return;
    end if;
  end loop;
end
$$;

-- What came of a try; false where the lease was over and another worker has taken it.
create function note_mail(
  p_tenant uuid, p_id bigint, p_lease uuid, p_state text, p_next timestamptz, p_at timestamptz, p_delivered text[], p_refused text, p_error text) returns boolean
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  update outbox
  set lease = null, state = p_state, next_at = coalesce(p_next, next_at), ended_at = case when p_state <> 'waiting' then p_at end, delivered = p_delivered, refused = p_refused::jsonb, error = p_error
  where tenant_id = p_tenant and id = p_id and lease = p_lease;
  return found;
end
$$;

-- It was not tried after all: it is as it was before it was taken.
create function leave_mail(p_tenant uuid, p_id bigint, p_lease uuid) returns void
language sql security definer set search_path = pg_catalog, public as $$
  update outbox set lease = null, next_at = '-infinity', tries = tries - 1 where tenant_id = p_tenant and id = p_id and lease = p_lease;
  select pg_notify('eddy_post', '');
$$;

do $$
declare
  v_function regprocedure;
begin
  foreach v_function in array array['next_mail()', 'take_mail(timestamptz, timestamptz, uuid, text, uuid)', 'leave_mail(uuid, bigint, uuid)',
    'note_mail(uuid, bigint, uuid, text, timestamptz, timestamptz, text[], text, text)']::regprocedure[] loop
    execute format('alter function %s owner to eddy_system', v_function);
    execute format('revoke all on function %s from public', v_function);
    execute format('grant execute on function %s to eddy_app', v_function);
  end loop;
end
$$;
