-- Who brought a file: the same bytes may come from several people, and each may use what they brought.
create table uploads (
    sha256 text not null references files (sha256),
    person_id text not null,
    at bigint not null,
    primary key (sha256, person_id)
);
insert into uploads (sha256, person_id, at) select sha256, by_person, at from files where by_person is not null;
