-- A person's documents of one state are listed in the same way, whatever the others are.
alter table document_people add column state text not null default '';
update document_people set state =
    (select state from documents where documents.document_id = document_people.document_id);
create index document_people_by_state on document_people (person_id, state, urgency desc, document_id);
