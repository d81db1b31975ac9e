\set pid random(1, 100000)
\set value random(1000000, 9999999)
begin;
insert into kvps (tenant_id, pid, key, value, num, position) values ('0193a1b2-0000-7000-8000-000000000001', :pid, 'temperature', to_jsonb(:value::bigint), :value, 1) on conflict (tenant_id, pid, key) do update set value = excluded.value, num = excluded.num, position = excluded.position;
insert into events (tenant_id, position, at, pid, key, value, actor, source, set_position, root) values ('0193a1b2-0000-7000-8000-000000000001', nextval('positions'), now(), :pid, 'temperature', to_jsonb(:value::bigint), 'bench', 'post', 1, '0193a1b2-0000-7000-8000-000000000002');
commit;
