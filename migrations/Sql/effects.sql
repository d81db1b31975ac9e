-- What runs tell people. It comes with the commit of its run, and is delivered afterwards.

-- A mail's number is that of its run and its place in it: it says nothing of other tenants, rises with the log, and can not be there twice.
create table outbox (
  tenant_id uuid not null,
  id bigint not null,
  run bigint not null,
  pid bigint not null,
  at timestamptz not null,
  receivers text[] not null,
  subject text not null,
  text text not null,
  -- Null where it goes out as text alone.
  html text,
  -- KVPs that go along; null where none do.
  attached jsonb,
  state text not null default 'waiting',
  primary key (tenant_id, id),
  constraint outbox_id check (id / 1000 = run and id % 1000 > 0),
  constraint outbox_receivers check (cardinality(receivers) between 1 and 50),
  constraint outbox_state check (state in ('waiting', 'sent', 'failed'))
);
create index outbox_pid on outbox (tenant_id, pid, id);

create table cards (
  tenant_id uuid not null,
  id bigint not null,
  run bigint not null,
  pid bigint not null,
  at timestamptz not null,
  name text not null,
  for_user text not null,
  state text not null default 'waiting',
  closed_at timestamptz,
  primary key (tenant_id, id),
  constraint cards_id check (id / 1000 = run and id % 1000 > 0),
  constraint cards_state check (state in ('waiting', 'shown', 'closed') and (state = 'closed') = (closed_at is not null))
);
-- "What is there for me?" Closed cards are only read by their runs.
create index cards_user on cards (tenant_id, for_user, id) where state <> 'closed';
create index cards_pid on cards (tenant_id, pid, id) where state <> 'closed';

-- Part of a slice's commit (pump.sql). Receivers come as JSON, for arrays of arrays are not to be had.
create function append_effects(
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
end
$$;
