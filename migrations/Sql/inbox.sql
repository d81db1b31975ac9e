-- Mail that comes in: what was taken out of which mailbox, what became of it, and what was attached.

-- Mailboxes are read by one worker at a time.
create table mailbox_leases (
  mailbox text primary key,
  worker uuid not null,
  until timestamptz not null
);

-- Every message that was taken, so that it is taken once, whatever its server, the worker or the connection did meanwhile: known by its bytes, in which the server that received it has put the time and
-- a number of its own. UIDs are only for not fetching it again.
create table taken_messages (
  mailbox text not null,
  digest bytea not null,
  uid_validity bigint not null,
  uid bigint not null,
  at timestamptz not null,
  is_rejected boolean not null,
  -- Why it is nobody's; null where it is a tenant's.
  reason text,
  primary key (mailbox, digest)
);
create index taken_messages_uid on taken_messages (mailbox, uid_validity, uid);
create index taken_messages_at on taken_messages (at);

create table inbox_messages (
  tenant_id uuid not null,
  id uuid not null,
  at timestamptz not null,
  mailbox text not null,
  -- As the message says it; null where it does not.
  message_id text,
  sender text,
  delivered_to text,
  subject text not null,
  text text not null,
  sent_at timestamptz,
  kind text not null,
  bytes int not null,
  spf text not null,
  dkim text not null,
  dmarc text not null,
  state text not null,
  -- What led to it, one sentence each.
  why text[] not null,
  -- In a word and in a sentence, where it was refused.
  code text,
  reason text,
  -- What it became, where it was accepted.
  pid bigint,
  arrival uuid,
  actor text,
  -- To whom an answer went; null where none did.
  answered text,
  primary key (tenant_id, id),
  constraint inbox_messages_state check (state in ('accepted', 'refused') and (state = 'refused') = (reason is not null) and (state = 'accepted') = (arrival is not null))
);
-- "How many came within the last hour?" of all, from one, into one process; and the list, the last first.
create index inbox_messages_at on inbox_messages (tenant_id, at, id);
create index inbox_messages_old on inbox_messages (at);
create index inbox_messages_sender on inbox_messages (tenant_id, sender, at);
create index inbox_messages_pid on inbox_messages (tenant_id, pid, at) where pid is not null;

create table attachments (
  tenant_id uuid not null,
  id uuid not null,
  message uuid not null,
  place int not null,
  name text not null,
  -- What its bytes are, whatever the message said.
  type text not null,
  bytes int not null,
  content bytea not null,
  primary key (tenant_id, id)
);
create index attachments_message on attachments (tenant_id, message, place);

do $$
declare
  v_table text;
begin
  foreach v_table in array array['inbox_messages', 'attachments'] loop
    execute format('alter table %I enable row level security', v_table);
    execute format('alter table %I force row level security', v_table);
    execute format('create policy tenant on %I using (tenant_id = (select nullif(current_setting(''app.tenant_id'', true), '''')::uuid))', v_table);
  end loop;
end
$$;
grant select on inbox_messages, attachments to eddy_app;
grant select, insert, update, delete on mailbox_leases, taken_messages, inbox_messages, attachments to eddy_system;

-- Whose inbox this is.
create function tenant_of_inbox(p_slug text) returns uuid
language sql stable security definer set search_path = pg_catalog, public as $$
  select id from tenants where slug = p_slug and id <> '00000000-0000-7000-8000-000000000000'
$$;

-- One worker has a mailbox, as long as it says so again before its time is over; whether this one has it.
create function lease_mailbox(p_mailbox text, p_worker uuid, p_now timestamptz, p_until timestamptz) returns boolean
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  insert into mailbox_leases as l (mailbox, worker, until) values (p_mailbox, p_worker, p_until)
  on conflict (mailbox) do update set worker = excluded.worker, until = excluded.until where l.worker = excluded.worker or l.until < p_now;
  return found;
end
$$;

create function leave_mailbox(p_mailbox text, p_worker uuid) returns void
language sql security definer set search_path = pg_catalog, public as $$
  delete from mailbox_leases where mailbox = p_mailbox and worker = p_worker
$$;

-- Those of these messages that were taken already, and whether they are for the folder of the rejected.
create function taken_of(p_mailbox text, p_validity bigint, p_uids bigint[]) returns table (uid bigint, is_rejected boolean)
language sql stable security definer set search_path = pg_catalog, public as $$
  select t.uid, t.is_rejected from taken_messages t where t.mailbox = p_mailbox and t.uid_validity = p_validity and t.uid = any(p_uids)
$$;

-- Takes one message, with the arrival that it became: both or neither. Where it was taken before, nothing is done, and the answer says to which folder it belongs.
-- p_tenant is null where it is nobody's; p_pid null for a new process.
create function take_message(
  p_mailbox text, p_digest bytea, p_validity bigint, p_uid bigint, p_at timestamptz, p_is_rejected boolean, p_nobodys text,
  p_tenant uuid, p_id uuid, p_message_id text, p_sender text, p_delivered_to text, p_subject text, p_text text, p_sent_at timestamptz, p_kind text, p_bytes int, p_spf text, p_dkim text, p_dmarc text,
  p_why text[], p_code text, p_reason text, p_pid bigint, p_arrival uuid, p_kvps text, p_actor text, p_answered text, p_answer_subject text, p_answer text,
  p_attachments uuid[], p_names text[], p_types text[], p_contents bytea[])
returns table (is_new boolean, is_rejected boolean)
language plpgsql security definer set search_path = pg_catalog, public as $$
#variable_conflict use_column
declare
  v_pid bigint := p_pid;
  v_shard smallint := get_byte(uuid_send(p_tenant), 15) & 63;
begin
  insert into taken_messages (mailbox, digest, uid_validity, uid, at, is_rejected, reason) values (p_mailbox, p_digest, p_validity, p_uid, p_at, p_is_rejected, p_nobodys)
  on conflict (mailbox, digest) do nothing;
  if not found then
    return query
      update taken_messages t set uid_validity = p_validity, uid = p_uid where t.mailbox = p_mailbox and t.digest = p_digest
      returning false, t.is_rejected;
    return;
  end if;
  if p_tenant is not null then
    if p_arrival is not null then
      if v_pid is null then
        select d.first into v_pid from draw_pids(array[p_tenant], array[1]) d;
      end if;
      insert into arrivals (shard, tenant_id, arrival, pid, wake_pid, fresh, kvps, actor, source, received_at)
      values (v_shard, p_tenant, p_arrival, v_pid, v_pid, p_pid is null, p_kvps, p_actor, 'mail', p_at);
      perform pg_notify('eddy_arrivals', v_shard::text);
    end if;
    insert into inbox_messages (tenant_id, id, at, mailbox, message_id, sender, delivered_to, subject, text, sent_at, kind, bytes, spf, dkim, dmarc, state, why, code, reason, pid, arrival, actor, answered)
    values (p_tenant, p_id, p_at, p_mailbox, p_message_id, p_sender, p_delivered_to, p_subject, p_text, p_sent_at, p_kind, p_bytes, p_spf, p_dkim, p_dmarc,
      case when p_arrival is null then 'refused' else 'accepted' end, p_why, p_code, p_reason, v_pid, p_arrival, p_actor, p_answered);
    insert into attachments (tenant_id, id, message, place, name, type, bytes, content)
    select p_tenant, a.id, p_id, a.place, a.name, a.type, length(a.content), a.content
    from unnest(p_attachments, p_names, p_types, p_contents) with ordinality a(id, name, type, content, place);
    if p_answered is not null then
      perform send_platform_mail(p_at, p_answered, p_answer_subject, p_answer);
    end if;
  end if;
  return query select true, p_is_rejected;
end
$$;

-- What was taken is remembered for a while, and messages are kept for as long as is said, with what was attached to them.
create function prune_taken(p_before timestamptz) returns int
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
  v_count int;
begin
  delete from taken_messages t using (select o.mailbox, o.digest from taken_messages o where o.at < p_before order by o.at limit 10000) o where t.mailbox = o.mailbox and t.digest = o.digest;
  get diagnostics v_count = row_count;
  return v_count;
end
$$;

create function prune_inbox(p_before timestamptz) returns int
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
  v_count int;
begin
  with old as (select o.tenant_id, o.id from inbox_messages o where o.at < p_before limit 1000),
    files as (delete from attachments a using old where a.tenant_id = old.tenant_id and a.message = old.id)
  delete from inbox_messages m using old where m.tenant_id = old.tenant_id and m.id = old.id;
  get diagnostics v_count = row_count;
  return v_count;
end
$$;

do $$
declare
  v_function regprocedure;
begin
  for v_function in select p.oid::regprocedure from pg_proc p where p.pronamespace = 'public'::regnamespace
    and p.proname in ('tenant_of_inbox', 'lease_mailbox', 'leave_mailbox', 'taken_of', 'take_message', 'prune_taken', 'prune_inbox') loop
    execute format('alter function %s owner to eddy_system', v_function);
    execute format('revoke all on function %s from public', v_function);
    execute format('grant execute on function %s to eddy_app', v_function);
  end loop;
end
$$;
