-- Files that runs save in workspace/. Their versions follow one another file by file and leave that of the tree as it is: nothing that a cell has loaded has changed.

-- One save of a file at a time, whether it is there or not, until the transaction ends. Nobody waits for a door that has stopped in the middle of a save.
create function lock_file(p_tenant uuid, p_path text) returns void
language sql set lock_timeout to '10s' as $$
  select pg_advisory_xact_lock(hashtextextended(p_tenant::text || p_path, 0));
$$;

-- Part of a slice's commit (pump.sql): each file in its order, as often as it was saved. What is the same as before is no new version.
create function save_files(p_tenants uuid[], p_paths text[], p_contents bytea[], p_authors text[], p_at timestamptz[]) returns void
language plpgsql security definer as $$
declare
  v_file record;
begin
  perform public.lock_file(f.tenant_id, f.path)
  from (select distinct * from unnest(p_tenants, p_paths) as s(tenant_id, path) order by 1, 2) f;
  for v_file in
    select * from unnest(p_tenants, p_paths, p_contents, p_authors, p_at) with ordinality s(tenant_id, path, content, author, at, place) order by place
  loop
    with last as (
      select max(v.version) as version from public.file_versions v where v.tenant_id = v_file.tenant_id and v.path = v_file.path
    ), saved as (
      insert into public.files as f (tenant_id, path, content, version, in_force, author, saved_at)
      select v_file.tenant_id, v_file.path, v_file.content, coalesce(last.version, 0) + 1, coalesce(last.version, 0) + 1, v_file.author, v_file.at from last
      on conflict (tenant_id, path) do update
      set content = excluded.content, version = excluded.version, in_force = excluded.in_force, author = excluded.author, saved_at = excluded.saved_at
      where f.content <> excluded.content
      returning f.tenant_id, f.path, f.version, f.content, f.author, f.saved_at)
    insert into public.file_versions (tenant_id, path, version, content, author, saved_at) select * from saved;
  end loop;
end
$$;

grant select, insert, update on files to eddy_system;
grant select, insert on file_versions to eddy_system;
revoke all on function lock_file(uuid, text), save_files(uuid[], text[], bytea[], text[], timestamptz[]) from public;
grant execute on function lock_file(uuid, text), save_files(uuid[], text[], bytea[], text[], timestamptz[]) to eddy_app;
alter function save_files(uuid[], text[], bytea[], text[], timestamptz[]) owner to eddy_system;
grant execute on function lock_file(uuid, text) to eddy_system;
