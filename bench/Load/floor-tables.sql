-- kvps and events as Eddy has them, without row-level security, heads, runs and arrivals: what no way of doing it can be without.
create table kvps (
  tenant_id uuid not null,
  pid bigint not null,
  key text not null,
  value jsonb not null,
  txt text,
  num float8,
  at timestamptz,
  position bigint not null,
  primary key (tenant_id, pid, key)
) with (fillfactor = 80);
create table events (
  tenant_id uuid not null,
  position bigint not null,
  at timestamptz not null,
  pid bigint not null,
  key text not null,
  value jsonb,
  previous jsonb,
  actor text not null,
  source text not null,
  cause bigint,
  set_position bigint not null,
  root uuid not null,
  primary key (tenant_id, position, at)
) partition by range (at);
create table events_default partition of events default;
create sequence positions cache 1;
