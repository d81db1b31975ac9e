-- Cookies of members at tenants' hosts who have signed out there: whoever has kept a copy is nobody. Each until it would have ended by itself.
create table ended_site_cookies (
  tenant_id uuid not null,
  id uuid not null,
  ends_at timestamptz not null,
  primary key (tenant_id, id)
);
alter table ended_site_cookies enable row level security;
alter table ended_site_cookies force row level security;
create policy tenant on ended_site_cookies using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
grant select, insert, delete on ended_site_cookies to eddy_app;
