-- "Has it come to its turn?" A tenant sees its own runs that are owed.
grant select on wakings to eddy_app;
