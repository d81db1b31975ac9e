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
