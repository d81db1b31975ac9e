-- What a tenant has said of its inbox; without a row, what InboxPolicy.Default says.
create table inbox_policies (
  tenant_id uuid primary key,
  opening text not null check (opening in ('members', 'listed', 'secret', 'anyone')),
  -- Addresses and domains.
  listed text[] not null,
  -- What stands behind the plus in the secret address.
  secrets text[] not null,
  takes_answers boolean not null,
  answers_refused boolean not null,
  changed_at timestamptz not null,
  changed_by text not null
);
alter table inbox_policies enable row level security;
alter table inbox_policies force row level security;
create policy tenant on inbox_policies using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
grant select, insert, update on inbox_policies to eddy_app;
