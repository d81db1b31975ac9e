-- The tenant whose host is asked for: which one it is nobody knows before, so it crosses them. The platform's own has none.
create function site_of(p_slug text) returns table (id uuid, name text, time_zone text)
language sql stable security definer set search_path = pg_catalog, public as $$
  select t.id, t.name, t.time_zone from tenants t where t.slug = p_slug and t.id <> '00000000-0000-7000-8000-000000000000'
$$;
alter function site_of(text) owner to eddy_system;
revoke all on function site_of(text) from public;
grant execute on function site_of(text) to eddy_app;

-- A member's way from the platform to a tenant's host: a code that is good once and for a minute, with the state that the host gave their browser. Only hashes are kept.
create table site_codes (
  tenant_id uuid not null,
  hash bytea not null check (octet_length(hash) = 32),
  state bytea not null check (octet_length(state) = 32),
  session_id uuid not null,
  ends_at timestamptz not null,
  primary key (tenant_id, hash)
);
alter table site_codes enable row level security;
alter table site_codes force row level security;
create policy tenant on site_codes using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
grant select, insert, delete on site_codes to eddy_app;
