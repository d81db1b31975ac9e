-- Who may do what is decided by three roles (docs/operations.md). They are global to a server, so they may exist already.
do $$
begin
  if not exists (select from pg_roles where rolname = 'eddy_owner') then
    create role eddy_owner nologin;
  end if;
  if not exists (select from pg_roles where rolname = 'eddy_app') then
    create role eddy_app login nosuperuser nobypassrls nocreatedb nocreaterole;
  end if;
  if not exists (select from pg_roles where rolname = 'eddy_system') then
    create role eddy_system nologin bypassrls;
  end if;
  -- The migrator makes everything as the owner, and hands the functions that cross tenants to the system.
  if not pg_has_role(current_user, 'eddy_owner', 'member') then
    execute format('grant eddy_owner to %I', current_user);
  end if;
  if not pg_has_role('eddy_owner', 'eddy_system', 'member') then
    grant eddy_system to eddy_owner;
  end if;
  execute format('grant create on database %I to eddy_owner', current_database());
end
$$;
grant create, usage on schema public to eddy_owner;
grant create, usage on schema public to eddy_system;
grant usage on schema public to eddy_app;
