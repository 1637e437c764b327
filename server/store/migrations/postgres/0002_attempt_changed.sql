-- When an attempt last changed, for whoever watches it. Rows from before know only when they were prepared.
alter table attempts add column changed bigint not null default 0;
update attempts set changed = created;
