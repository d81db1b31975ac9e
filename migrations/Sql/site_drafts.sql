-- Pages and cards as somebody types them, for the preview beside the editor: on whichever web its frame is answered. One for each person and file, for some minutes.
create table site_drafts (
  tenant_id uuid not null,
  person_id uuid not null,
  path text not null,
  content text not null,
  ends_at timestamptz not null,
  primary key (tenant_id, person_id, path)
);
alter table site_drafts enable row level security;
alter table site_drafts force row level security;
create policy tenant on site_drafts using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
grant select, insert, update, delete on site_drafts to eddy_app;
