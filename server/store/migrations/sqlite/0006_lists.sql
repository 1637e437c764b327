-- A person's documents are listed urgent ones first, then the oldest, without a look at the documents themselves.
alter table document_people add column urgency bigint not null default 0;
update document_people set urgency =
    (select urgency from documents where documents.document_id = document_people.document_id);
create index document_people_in_order on document_people (person_id, urgency desc, document_id);
-- What the turn of the year asks for: numbers in bases that nobody has signed.
create index documents_numbered_unsigned on documents (document_id)
    where state = 'awaiting_signature' and numbering = 'before_sign' and signer = 0;
