grant usage on schema hangfire to eddy_app;
grant select, insert, update, delete on all tables in schema hangfire to eddy_app;
grant usage, select on all sequences in schema hangfire to eddy_app;
