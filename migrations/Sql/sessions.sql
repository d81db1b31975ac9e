-- People's sessions and the links that are mailed to them. Both belong to no tenant, as people do not.
grant select, insert, update, delete on people_sessions, people_links to eddy_app;
grant select, update on people_sessions to eddy_system;
grant select (security_stamp) on people to eddy_system;
grant select on acl_versions to eddy_system;

-- Who has this session and what they are in each of their tenants, in one look; no row where the session has ended. A tenant's count of changes says whether what its people may is still the same.
create function standing_of(p_session uuid, p_now timestamptz) returns table (person uuid, address text, slug text, role text, acl bigint)
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  update people_sessions s set seen_at = p_now
  where s.id = p_session and s.seen_at < p_now - interval '1 minute' and s.seen_at > p_now - interval '14 days';
  return query
    select p.id, p.email::text, t.slug, m.role, coalesce(v.version, 0)
    from people_sessions s
    join people p on p.id = s.person_id and p.security_stamp = s.stamp
    left join members m on m.person_id = p.id
    left join tenants t on t.id = m.tenant_id
    left join acl_versions v on v.tenant_id = m.tenant_id
    where s.id = p_session and s.seen_at > p_now - interval '14 days';
end
$$;

create function slug_is_taken(p_slug text) returns boolean
language sql stable security definer set search_path = pg_catalog, public as $$
  select exists (select from tenants where slug = p_slug)
$$;

-- The platform's own mails belong to a tenant that has nothing else; they go out as those of rules do. Their numbers come of a sequence, for no run has one there.
select set_config('app.tenant_id', '00000000-0000-7000-8000-000000000000', true);
insert into tenants (id, slug, name, time_zone, tree_version, created_at) values ('00000000-0000-7000-8000-000000000000', 'platform', 'Eddy', 'UTC', 0, now());
select set_config('app.tenant_id', '', true);

create sequence platform_mails;
grant usage on sequence platform_mails to eddy_system;

create function send_platform_mail(p_at timestamptz, p_receiver text, p_subject text, p_text text) returns void
language sql security definer set search_path = pg_catalog, public as $$
  insert into outbox (tenant_id, id, run, pid, at, receivers, subject, text)
  select '00000000-0000-7000-8000-000000000000', n.run * 1000 + 1, n.run, 0, p_at, array[p_receiver], p_subject, p_text
  from (select nextval('platform_mails') as run) n
$$;

do $$
declare
  v_function regprocedure;
begin
  foreach v_function in array array['standing_of(uuid, timestamptz)', 'slug_is_taken(text)', 'send_platform_mail(timestamptz, text, text, text)']::regprocedure[] loop
    execute format('alter function %s owner to eddy_system', v_function);
    execute format('revoke all on function %s from public', v_function);
    execute format('grant execute on function %s to eddy_app', v_function);
  end loop;
end
$$;
