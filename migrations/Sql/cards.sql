-- Cards that people answer: by links from mail, and with files.

-- Links that were answered: each is good for one answer.
create table answered_links (
  tenant_id uuid not null,
  -- The mail that carried it.
  mail bigint not null,
  card text not null,
  address text not null,
  at timestamptz not null,
  primary key (tenant_id, mail, card, address)
);
alter table answered_links enable row level security;
alter table answered_links force row level security;
create policy tenant on answered_links using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
grant select, insert on answered_links to eddy_app;

-- What was sent with a card at once; its files are attachments, as those of a message are.
create table uploads (
  tenant_id uuid not null,
  id uuid not null,
  at timestamptz not null,
  bytes bigint not null,
  actor text not null,
  primary key (tenant_id, id)
);
create index uploads_at on uploads (at);
alter table uploads enable row level security;
alter table uploads force row level security;
create policy tenant on uploads using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
grant select on uploads to eddy_app;
grant select, insert, delete on uploads to eddy_system;

-- Keeps files; false where the tenant would have more than p_most bytes of the last day.
create function keep_upload(p_tenant uuid, p_upload uuid, p_at timestamptz, p_actor text, p_most bigint, p_ids uuid[], p_names text[], p_types text[], p_contents bytea[]) returns boolean
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
  v_bytes bigint := (select coalesce(sum(length(c)), 0) from unnest(p_contents) c);
begin
  -- One after the other, so that two do not both fit.
  perform pg_advisory_xact_lock(hashtextextended('upload ' || p_tenant, 0));
  if v_bytes + (select coalesce(sum(u.bytes), 0) from uploads u where u.tenant_id = p_tenant and u.at > p_at - interval '1 day') > p_most then
    return false;
  end if;
  insert into uploads (tenant_id, id, at, bytes, actor) values (p_tenant, p_upload, p_at, v_bytes, p_actor);
  insert into attachments (tenant_id, id, message, place, name, type, bytes, content)
  select p_tenant, f.id, p_upload, f.place, f.name, f.type, length(f.content), f.content
  from unnest(p_ids, p_names, p_types, p_contents) with ordinality f(id, name, type, content, place);
  return true;
end
$$;

create function prune_uploads(p_before timestamptz) returns int
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
  v_count int;
begin
  with old as (select o.tenant_id, o.id from uploads o where o.at < p_before limit 1000),
    files as (delete from attachments a using old where a.tenant_id = old.tenant_id and a.message = old.id)
  delete from uploads u using old where u.tenant_id = old.tenant_id and u.id = old.id;
  get diagnostics v_count = row_count;
  return v_count;
end
$$;

do $$
declare
  v_function regprocedure;
begin
  for v_function in select p.oid::regprocedure from pg_proc p where p.pronamespace = 'public'::regnamespace and p.proname in ('keep_upload', 'prune_uploads') loop
    execute format('alter function %s owner to eddy_system', v_function);
    execute format('revoke all on function %s from public', v_function);
    execute format('grant execute on function %s to eddy_app', v_function);
  end loop;
end
$$;

-- As in delivery.sql, and tells screens that there are cards.
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
  perform pg_notify('eddy_cards', t.tenant::text) from (select distinct unnest(p_card_tenants) as tenant) t;
end
$$;
