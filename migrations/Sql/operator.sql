-- What operators ask across tenants. The application may not.

create function find_tenant(p_slug text) returns uuid
language sql stable security definer set search_path = pg_catalog, public as $$
  select id from tenants where slug = p_slug
$$;

create function list_tenants() returns table (id uuid, slug text, name text, time_zone text, created_at timestamptz)
language sql stable security definer set search_path = pg_catalog, public as $$
  select id, slug, name, time_zone, created_at from tenants order by slug
$$;
