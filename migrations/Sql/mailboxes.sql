-- Mailboxes of tenants' own. The password is a secret of the tenant's, by its name.
create table mailboxes (
  tenant_id uuid not null,
  name text not null,
  host text not null,
  port int not null check (port between 1 and 65535),
  tls text not null check (tls in ('Implicit', 'StartTls')),
  username text not null,
  secret text not null,
  folder text not null,
  -- Why it can not be read now, in a sentence.
  error text,
  changed_at timestamptz not null,
  changed_by text not null,
  primary key (tenant_id, name)
);
alter table mailboxes enable row level security;
alter table mailboxes force row level security;
create policy tenant on mailboxes using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
grant select, insert, update, delete on mailboxes to eddy_app;
grant select on mailboxes to eddy_system;

-- What workers read.
create function all_mailboxes()
returns table (tenant_id uuid, slug text, name text, host text, port int, tls text, username text, secret text, folder text, error text, changed_at timestamptz, changed_by text)
language sql stable security definer set search_path = pg_catalog, public as $$
  select b.tenant_id, t.slug, b.name, b.host, b.port, b.tls, b.username, b.secret, b.folder, b.error, b.changed_at, b.changed_by from mailboxes b join tenants t on t.id = b.tenant_id order by 1, 3
$$;
alter function all_mailboxes() owner to eddy_system;
revoke all on function all_mailboxes() from public;
grant execute on function all_mailboxes() to eddy_app;
