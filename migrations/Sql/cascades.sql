-- "What did this arrival lead to?" A root's number rises with its arrival, so this grows at its end. It costs each run an entry; what runs changed is found by what they say of it.
create index runs_root on runs (tenant_id, root, id);
-- "What came in with it?" Of the events those alone that no run made.
create index events_arrived on events (tenant_id, root, position) where cause is null;
