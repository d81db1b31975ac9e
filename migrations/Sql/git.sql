-- What was pushed by git, beside the version of the tree that it became. The pack has what the branch did not have until then, and may build on what it had: with the versions before it, it gives
-- the very commits that were pushed, on any web.
create table git_pushes (
  tenant_id uuid not null,
  version bigint not null,
  tip text not null check (tip ~ '^[0-9a-f]{40}$'),
  pack bytea not null,
  author text not null,
  at timestamptz not null,
  primary key (tenant_id, version)
);
-- A pack is compressed as it is.
alter table git_pushes alter column pack set storage external;
alter table git_pushes enable row level security;
alter table git_pushes force row level security;
create policy tenant on git_pushes using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
grant select, insert on git_pushes to eddy_app;

-- A repository that is up to date asks for what came after: without it, that would read all that a tenant ever saved.
create index file_versions_in_git on file_versions (tenant_id, version) where not starts_with(path, 'workspace/') and path <> 'requirements.lock';
