-- The tenants to which a person belongs: which tenants these are nobody knows before they are asked for, so it crosses them.
create function tenants_of(p_person uuid) returns table (id uuid, slug text, name text, time_zone text, role text)
language sql stable security definer set search_path = pg_catalog, public as $$
  select t.id, t.slug, t.name, t.time_zone, m.role from members m join tenants t on t.id = m.tenant_id where m.person_id = p_person order by t.name, t.slug
$$;
alter function tenants_of(uuid) owner to eddy_system;
revoke all on function tenants_of(uuid) from public;
grant execute on function tenants_of(uuid) to eddy_app;
create index members_person on members (person_id);

-- Who signs up makes a tenant; row-level security holds each of these to the tenant that the connection names.
grant insert on tenants to eddy_app;
grant insert, update, delete on members to eddy_app;
