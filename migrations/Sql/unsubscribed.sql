-- Who wants no more mail of a tenant's rules.
create table unsubscribed (
  tenant_id uuid not null,
  -- In the form in which addresses are compared.
  receiver text not null,
  at timestamptz not null,
  primary key (tenant_id, receiver)
);
alter table unsubscribed enable row level security;
alter table unsubscribed force row level security;
create policy tenant on unsubscribed using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
grant select, insert, delete on unsubscribed to eddy_app;

-- A mail is several messages where its receivers do not see each other. Who has his is written down before the next goes out, and the worker has the mail for longer; false where it is another's by now.
create function note_handed(p_tenant uuid, p_id bigint, p_lease uuid, p_until timestamptz, p_delivered text[], p_refused text) returns boolean
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  update outbox set next_at = p_until, delivered = p_delivered, refused = p_refused::jsonb where tenant_id = p_tenant and id = p_id and lease = p_lease;
  return found;
end
$$;
alter function note_handed(uuid, bigint, uuid, timestamptz, text[], text) owner to eddy_system;
revoke all on function note_handed(uuid, bigint, uuid, timestamptz, text[], text) from public;
grant execute on function note_handed(uuid, bigint, uuid, timestamptz, text[], text) to eddy_app;
