-- The log and its fold.

create table processes (
  tenant_id uuid not null,
  pid bigint not null check (pid > 0),
  kind text,
  parent bigint,
  created_at timestamptz not null,
  primary key (tenant_id, pid)
);
-- "All invoices, in order of their number."
create index processes_kind on processes (tenant_id, kind, pid) where kind is not null;
-- "All children of 15."
create index processes_parent on processes (tenant_id, parent, pid) where parent is not null;

-- `value` is the truth. txt, num and at are for look-ups: operators of jsonb and numeric are not leakproof, so under row-level
-- security no index would be used for them.
create table kvps (
  tenant_id uuid not null,
  pid bigint not null check (pid >= 0),
  key text not null,
  value jsonb not null,
  txt text,
  num float8,
  at timestamptz,
  position bigint not null,
  primary key (tenant_id, pid, key)
) with (fillfactor = 80);

-- Keys that rules look processes up by, and these KVPs again, by what they are found by. An index over all KVPs would be written for keys that nobody
-- asks for, and no change of a value would stay on its page.
create table looked_up (
  tenant_id uuid not null,
  key text not null,
  primary key (tenant_id, key)
);
create table kvp_index (
  tenant_id uuid not null,
  key text not null,
  pid bigint not null,
  txt text,
  num float8,
  at timestamptz,
  primary key (tenant_id, key, pid)
);
create index kvp_index_txt on kvp_index (tenant_id, key, txt, pid) where txt is not null;
create index kvp_index_num on kvp_index (tenant_id, key, num, pid) where num is not null;
create index kvp_index_at on kvp_index (tenant_id, key, at, pid) where at is not null;

create table events (
  tenant_id uuid not null,
  position bigint not null,
  at timestamptz not null,
  pid bigint not null,
  key text not null,
  -- Null where the KVP was removed, and where there was none before; JSON's null is a value.
  value jsonb,
  previous jsonb,
  actor text not null,
  source text not null,
  -- The run that did it; null for what came from outside.
  cause bigint,
  -- The first position of its change set.
  set_position bigint not null,
  root uuid not null,
  primary key (tenant_id, position, at)
) partition by range (at);

-- A run, or, with outcome 0, all the rules that one change set woke in one process and whose checks said no.
create table runs (
  tenant_id uuid not null,
  id bigint not null,
  at timestamptz not null,
  rule text,
  said_no text[],
  tree_version bigint not null,
  pid bigint not null,
  set_position bigint not null,
  root uuid not null,
  generation int not null,
  outcome smallint not null check (outcome between 0 and 3),
  first_position bigint,
  changes int not null,
  elapsed_us bigint not null,
  cpu_us bigint not null,
  log text,
  error jsonb,
  trace text,
  -- Its outgoing calls; null where it made none.
  calls jsonb,
  primary key (tenant_id, id, at),
  constraint runs_rule check ((outcome = 0) = (said_no is not null) and (outcome = 0) = (rule is null))
) partition by range (at);
-- "What ran in this process?", and from an event, by its process, what it woke.
create index runs_pid on runs (tenant_id, pid, id);

-- Partitions by month, made ahead and dropped whole. The default one takes what comes when none was made, so that nothing is refused.
create table events_default partition of events default;
create table runs_default partition of runs default;

create function make_partitions(p_at timestamptz) returns void
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
  v_month date;
  v_table text;
begin
  for i in 0..2 loop
    v_month := (date_trunc('month', p_at at time zone 'UTC') + make_interval(months => i))::date;
    foreach v_table in array array['events', 'runs'] loop
      if to_regclass(format('public.%I', v_table || to_char(v_month, '_YYYY_MM'))) is null then
        execute format('create table public.%I partition of public.%I for values from (%L) to (%L)',
          v_table || to_char(v_month, '_YYYY_MM'), v_table,
          to_char(v_month, 'YYYY-MM-DD') || ' 00:00:00+00', to_char(v_month + interval '1 month', 'YYYY-MM-DD') || ' 00:00:00+00');
        execute format('alter table public.%I enable row level security', v_table || to_char(v_month, '_YYYY_MM'));
        execute format('alter table public.%I force row level security', v_table || to_char(v_month, '_YYYY_MM'));
      end if;
    end loop;
  end loop;
end
$$;

create function drop_partitions(p_before timestamptz) returns int
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
  v_name text;
  v_count int := 0;
begin
  for v_name in
    select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent in ('public.events'::regclass, 'public.runs'::regclass)
      and c.relname ~ '_\d{4}_\d{2}$'
      and to_date(right(c.relname, 7), 'YYYY_MM') + interval '1 month' <= p_before at time zone 'UTC'
  loop
    execute format('drop table public.%I', v_name);
    v_count := v_count + 1;
  end loop;
  return v_count;
end
$$;
select make_partitions(now());
