-- What an office offers to choose from, as JSON of the wire's own type; written whole by each import.
create table office_forms (
    office_id text primary key references offices (office_id),
    forms text not null,
    at bigint not null
);
-- Numbers up to this were given before the book was kept here (on paper): the book begins after them.
alter table registers add column given_before bigint not null default 0;
