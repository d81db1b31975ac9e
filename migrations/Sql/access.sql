-- Who may read and set which KVPs, and who said so. Written under the lock of the tenant's row.

create table groups (
  tenant_id uuid not null,
  name text not null,
  addresses text[] not null,
  people uuid[] not null,
  version bigint not null,
  changed_at timestamptz not null,
  changed_by text not null,
  primary key (tenant_id, name),
  -- Who is in these follows from what they are.
  constraint groups_reserved check (name not in ('public', 'registered'))
);

create table acl (
  tenant_id uuid not null,
  id bigint not null check (id > 0),
  group_name text not null,
  may_read boolean not null,
  may_set boolean not null,
  keys text[] not null,
  -- Null: of processes all, of the shared bag none.
  kind text,
  shared boolean not null,
  version bigint not null,
  changed_at timestamptz not null,
  changed_by text not null,
  primary key (tenant_id, id),
  constraint acl_may check (may_read or may_set),
  constraint acl_keys check (cardinality(keys) > 0),
  constraint acl_place check (not shared or kind is null)
);

-- Counts the changes of both, so that who has read them knows whether they are still these.
create table acl_versions (
  tenant_id uuid primary key,
  version bigint not null,
  last_entry bigint not null
);

-- What people changed of what others may, for good.
create table audit (
  tenant_id uuid not null,
  number bigint not null,
  at timestamptz not null,
  actor text not null,
  action text not null,
  subject text not null,
  -- Null where there was nothing before, or is nothing after.
  before jsonb,
  after jsonb,
  primary key (tenant_id, number)
);

-- The kind of a process, and what the last arrival that waits for its turn and sets it will make of it, as JSON: null where that removes it.
create function kind_in_line(p_tenant uuid, p_pid bigint) returns table (kind text, is_waiting boolean, waiting text)
language plpgsql stable security definer as $$
#variable_conflict use_column
begin
  return query
    select p.kind, w.change is not null, (w.change -> 1)::text
    from (select 1) one
    left join lateral (select k.kind from public.processes k where k.tenant_id = p_tenant and k.pid = p_pid offset 0) p on true
    left join lateral (
      select c.change
      from public.arrivals a
      cross join lateral jsonb_array_elements(case when a.waking is null then a.kvps::jsonb else '[]' end) c(change)
      where a.shard = get_byte(uuid_send(p_tenant), 15) & 63 and a.tenant_id = p_tenant and a.pid = p_pid and a.kvps like '%"kind"%' and c.change ->> 0 = 'kind'
      order by a.id desc limit 1) w on true;
end
$$;
