-- The line: what was accepted and is still to be applied. Neither people nor tenants' code read these tables; the functions do.

-- One index only: every other costs the door and the pump more than it gives. Look-ups by tenant or id name the shard.
create sequence arrivals_id_seq cache 1;
create table arrivals (
  shard smallint not null check (shard between 0 and 63),
  id bigint not null default nextval('arrivals_id_seq'),
  tenant_id uuid not null,
  arrival uuid not null,
  pid bigint not null check (pid >= 0),
  wake_pid bigint not null check (wake_pid > 0),
  -- The door has just drawn the number: there is no state to read.
  fresh boolean not null,
  -- [[key, value], …] in the order of the door; a pair without a value removes. Text, for its order is kept.
  kvps text not null,
  actor text not null,
  source text not null,
  received_at timestamptz not null,
  -- Who waits: the door's channel, a colon, its number for the request.
  tag text,
  -- W3C traceparent
  trace text,
  -- The run that it wakes again, as it was kept; such an arrival has no KVPs. Text, for the pump alone reads it.
  waking text,
  primary key (shard, id)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);
alter sequence arrivals_id_seq owned by arrivals.id;

-- One row a door process, raised by each flush: after a COMMIT whose answer was lost, the number tells whether it happened.
create table doors (
  door uuid primary key,
  flush bigint not null,
  at timestamptz not null
) with (fillfactor = 50);

-- The next number of a process. Doors draw blocks; gaps are normal.
create table pids (
  tenant_id uuid primary key,
  next bigint not null
) with (fillfactor = 50);

create table idempotency (
  tenant_id uuid not null,
  key text not null,
  fingerprint bytea not null,
  answer jsonb not null,
  at timestamptz not null,
  primary key (tenant_id, key)
);
create index idempotency_at on idempotency (at);

-- Workers that are alive, so that each takes its share of the shards.
create table workers (
  worker uuid primary key,
  expires_at timestamptz not null
);

-- Who writes a shard's tenants. `epoch` rises with each change of hands; `slice` with each commit: that is the fence.
create table leases (
  shard smallint primary key check (shard between 0 and 63),
  owner uuid,
  epoch bigint not null default 0,
  slice bigint not null default 0,
  expires_at timestamptz not null default '-infinity'
) with (fillfactor = 50);
insert into leases (shard) select generate_series(0, 63);

-- A tenant's last position in its log, last run, and the moment of its last change, which never falls.
create table heads (
  tenant_id uuid primary key,
  position bigint not null default 0,
  run bigint not null default 0,
  at timestamptz not null,
  -- CPU time of all its runs.
  cpu_us bigint not null default 0
) with (fillfactor = 70);

-- Runs that are owed: woken, and not yet run; or beside the line, because they call out or wait for one that does.
create table wakings (
  tenant_id uuid not null,
  id bigint generated always as identity,
  shard smallint not null check (shard between 0 and 63),
  rule text not null,
  pid bigint not null,
  set_position bigint not null,
  set_count int not null,
  set_at timestamptz not null,
  generation int not null,
  chain text[] not null,
  root uuid not null,
  actor text not null,
  -- Whom a rule chose for the cascade's cards; null for its actor.
  acting text,
  runs int not null,
  -- The cascade's runs so far have the numbers first_run to last_run.
  first_run bigint not null,
  last_run bigint not null,
  tag text,
  trace text,
  beside boolean not null,
  -- What woke it comes of a quarantine.
  quiet boolean not null,
  -- Its place there, where it is tried again.
  quarantine bigint,
  -- How often it failed, and was put off to be tried again.
  attempt int not null,
  -- It has waited as long as its rule says.
  due boolean not null,
  primary key (tenant_id, id)
);
create index wakings_shard on wakings (shard, id) where not beside;
create index wakings_beside on wakings (shard, id) where beside;

-- Arrivals that can not be applied, with the reason: kept, so that nothing accepted disappears unseen.
create table refused (
  tenant_id uuid not null,
  arrival uuid not null,
  pid bigint not null,
  kvps text not null,
  actor text not null,
  source text not null,
  received_at timestamptz not null,
  refused_at timestamptz not null,
  reason text not null,
  primary key (tenant_id, arrival)
);

-- What became of a tree version when it was first loaded: what its rules listen to, so that a tenant that nothing can wake needs no cell, and the
-- files that failed to load.
create table trees (
  tenant_id uuid primary key,
  tree_version bigint not null,
  keys text[] not null,
  faults jsonb,
  -- What files printed while they were loaded.
  logs jsonb
);
