-- The second wall: a connection sees the rows of the tenant that it names, and none if it names none. Forced, so that the owner is no way round.
do $$
declare
  v_table text;
begin
  foreach v_table in array array['members', 'api_keys', 'files', 'file_versions', 'package_files', 'secrets', 'secret_changes', 'tenant_keys', 'processes', 'kvps', 'kvp_index', 'looked_up', 'events', 'runs',
    'pids', 'idempotency', 'heads', 'wakings', 'refused', 'trees', 'arrivals', 'quarantine', 'rule_switches', 'deferred', 'streams', 'schedules', 'rule_schedules', 'outbox', 'cards',
    'groups', 'acl', 'acl_versions', 'audit'] loop
    execute format('alter table %I enable row level security', v_table);
    execute format('alter table %I force row level security', v_table);
    execute format('create policy tenant on %I using (tenant_id = (select nullif(current_setting(''app.tenant_id'', true), '''')::uuid))', v_table);
  end loop;
  alter table tenants enable row level security;
  alter table tenants force row level security;
  create policy tenant on tenants using (id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
end
$$;

-- Partitions are reached through their parents alone.
do $$
declare
  v_name text;
begin
  for v_name in select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent in ('events'::regclass, 'runs'::regclass) loop
    execute format('alter table %I enable row level security', v_name);
    execute format('alter table %I force row level security', v_name);
  end loop;
end
$$;

grant select, update on tenants to eddy_app;
grant select on members to eddy_app;
grant select, insert, update on api_keys to eddy_app;
grant select, insert, update, delete on files to eddy_app;
grant select, insert, delete on package_files to eddy_app;
grant select, insert on file_versions to eddy_app;
grant select, insert, update, delete on secrets to eddy_app;
grant select, insert, update on tenant_keys to eddy_app;
grant select, insert, update, delete on schedules to eddy_app;
grant select, insert on secret_changes to eddy_app;
grant select, insert, update, delete on groups, acl to eddy_app;
grant select, insert, update on acl_versions to eddy_app;
grant select, insert on audit to eddy_app;
grant select, delete on quarantine to eddy_app;
grant select, insert, delete on rule_switches to eddy_app;
grant select on deferred, rule_schedules, trees, processes, kvps, kvp_index, looked_up, events, runs, refused, idempotency, heads to eddy_app;
grant select on outbox to eddy_app;
grant select, update (state, closed_at) on cards to eddy_app;
grant select, insert, update, delete on people, people_claims, people_logins, people_tokens, people_passkeys to eddy_app;
grant select, insert, update, delete on data_protection_keys to eddy_app;
grant usage on all sequences in schema public to eddy_app;

grant select, insert, update, delete on tenants, api_keys, members, processes, kvps, kvp_index, looked_up, events, runs, arrivals, doors, pids, idempotency, workers, leases, heads, wakings,
  refused, trees, quarantine, rule_switches, deferred, streams, rule_schedules, outbox, cards to eddy_system;
grant select (id, email, email_confirmed) on people to eddy_system;
grant select, update on schedules to eddy_system;
grant usage on all sequences in schema public to eddy_system;

-- The functions that cross tenants belong to the role that may, and only the application may call them. Partitions are made and dropped by
-- their owner's own functions.
do $$
declare
  v_function regprocedure;
begin
  for v_function in select p.oid::regprocedure from pg_proc p where p.pronamespace = 'public'::regnamespace loop
    execute format('revoke all on function %s from public', v_function);
    execute format('grant execute on function %s to eddy_app', v_function);
    if v_function::text not like '%\_partitions(%' then
      execute format('alter function %s owner to eddy_system', v_function);
    end if;
  end loop;
end
$$;
revoke execute on function list_tenants(), find_tenant(text) from eddy_app;
revoke create on schema public from eddy_system;
