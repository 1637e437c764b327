-- Portable on purpose: columns are text, bigint or blob (bytea); booleans are 0 or 1; times are microseconds since 1970
-- UTC; days are YYYY-MM-DD; ids are ULIDs; digests are 64 hexadecimal digits. The CHECKs repeat the domain's enums and a
-- test compares the two. Rows are changed only under their version, lease or state (see the WHERE of each statement).

create table offices (
    office_id text primary key,
    parent_id text references offices (office_id),
    code text not null unique,
    name text not null,
    symbol text not null,
    policy text not null
);

create table people (
    person_id text primary key,
    office_id text not null references offices (office_id),
    login text not null unique,
    name text not null,
    title text not null,
    roles text not null,
    active bigint not null check (active in (0, 1))
);
create index people_by_office on people (office_id);

create table appointments (
    person_id text not null references people (person_id),
    office_id text not null references offices (office_id),
    capacity text not null check (capacity in ('head', 'tm', 'kt', 'tl', 'tuq', 'q')),
    from_day text not null,
    until_day text,
    primary key (office_id, person_id, capacity, from_day),
    check (capacity <> 'tuq' or until_day is not null)
);

-- Passwords only as Argon2 hashes; the TOTP step used last stands in the row so that no code counts twice.
create table accounts (
    person_id text primary key references people (person_id),
    password_hash text not null,
    totp_secret blob,
    last_totp_step bigint not null
);

-- The pinned SIM of a person: number and certificate. One person, one number; one number, one person.
create table sims (
    person_id text primary key references people (person_id),
    msisdn text not null unique,
    certificate blob not null,
    certificate_sha256 text not null,
    chain text not null,
    image_sha256 text,
    at bigint not null
);

create table org_seals (
    office_id text primary key references offices (office_id),
    certificate blob not null,
    certificate_sha256 text not null,
    chain text not null,
    image_sha256 text
);

-- pending → enrolled → revoked; pending → revoked. An enrolled device has its statement, signed once by the SIM.
create table devices (
    device_id text primary key,
    person_id text not null references people (person_id),
    name text not null,
    client text not null check (client in ('native', 'web')),
    jwk text not null,
    thumbprint text not null unique,
    state text not null check (state in ('pending', 'enrolled', 'revoked')),
    statement blob,
    cms blob,
    push_endpoint text,
    push_p256dh text,
    push_auth text,
    created bigint not null,
    enrolled bigint,
    revoked bigint,
    check (state <> 'enrolled' or (statement is not null and cms is not null and enrolled is not null)),
    check (state <> 'revoked' or revoked is not null),
    check ((push_endpoint is null) = (push_p256dh is null) and (push_endpoint is null) = (push_auth is null))
);
create index devices_by_person on devices (person_id);

create table sessions (
    session_id text primary key,
    token_sha256 text not null unique,
    person_id text not null references people (person_id),
    client text not null check (client in ('native', 'web')),
    device_id text references devices (device_id),
    created bigint not null,
    expires bigint not null
);
create index sessions_by_expiry on sessions (expires);

-- A file is whole on disk under its own name, or a base and one tail (a revision appended to it).
create table files (
    sha256 text primary key,
    length bigint not null check (length >= 0),
    base_sha256 text references files (sha256),
    tail_sha256 text,
    tail_length bigint,
    pages bigint,
    remarks text not null,
    midstate blob,
    index_sha256 text,
    manifest_sha256 text,
    by_person text,
    at bigint not null,
    check ((base_sha256 is null) = (tail_sha256 is null) and (base_sha256 is null) = (tail_length is null))
);
create index files_by_tail on files (tail_sha256);
create index files_by_base on files (base_sha256);
create index files_by_index on files (index_sha256);
create index files_by_manifest on files (manifest_sha256);

-- draft → in_review{step} → awaiting_signature{signer} ⇄ signing{signer, attempt} → awaiting_number → sealing{seal}
--   → sealed → released{released_at, recall, replaced_by, corrected_by}
-- open states → returned{reason, by} | withdrawn | rejected{reason, by}
create table documents (
    document_id text primary key,
    version bigint not null,
    state text not null check (state in ('draft', 'in_review', 'awaiting_signature', 'signing', 'awaiting_number',
        'sealing', 'sealed', 'released', 'returned', 'withdrawn', 'rejected')),
    step bigint,
    signer bigint,
    attempt_id text,
    seal_id text,
    reason text,
    reason_by text,
    released_at bigint,
    recall text,
    replaced_by text references documents (document_id),
    corrected_by text references documents (document_id),
    revision bigint not null,
    office_id text not null references offices (office_id),
    drafter_id text not null references people (person_id),
    assignee_id text references people (person_id),
    urgency bigint not null check (urgency between 0 and 3),
    numbering text not null check (numbering in ('before_sign', 'at_sign', 'after_sign')),
    series text not null,
    particulars text not null,
    symbol text not null,
    chain text not null,
    bundle text not null,
    manifest_sha256 text not null,
    head_sha256 text not null references files (sha256),
    head_length bigint not null,
    signed text not null,
    number text,
    number_drawn bigint not null check (number_drawn in (0, 1)),
    wish text,
    created bigint not null,
    waiting_since bigint not null,
    check ((state = 'in_review') = (step is not null)),
    check ((state in ('awaiting_signature', 'signing')) = (signer is not null)),
    check ((state = 'signing') = (attempt_id is not null)),
    check ((state = 'sealing') = (seal_id is not null)),
    check ((state = 'released') = (released_at is not null)),
    check ((state in ('returned', 'rejected')) = (reason is not null and reason_by is not null)),
    check (state not in ('sealing', 'sealed', 'released') or number is not null)
);
-- Lists look only at what somebody still has to act on, whatever has been closed.
create index documents_inbox on documents (assignee_id, urgency desc, waiting_since, document_id)
    where assignee_id is not null;
create index documents_by_head on documents (head_sha256);
create index documents_by_manifest on documents (manifest_sha256);
create index documents_by_state on documents (office_id, state, waiting_since, document_id);

-- Who has a part in which document: the right to see it and its files.
create table document_people (
    person_id text not null references people (person_id),
    document_id text not null references documents (document_id),
    primary key (person_id, document_id)
);
create index document_people_by_document on document_people (document_id);

create table document_files (
    document_id text not null references documents (document_id),
    sha256 text not null references files (sha256),
    role text not null check (role in ('main', 'attachment', 'background', 'revision')),
    primary key (document_id, sha256, role)
);
create index document_files_by_file on document_files (sha256);

create table opinions (
    document_id text not null references documents (document_id),
    revision bigint not null,
    step bigint not null,
    at bigint not null,
    kind text not null check (kind in ('content', 'format')),
    by_person text not null references people (person_id),
    verdict text not null check (verdict in ('passed', 'returned')),
    words text not null,
    about_sha256 text not null,
    primary key (document_id, revision, step, at)
);

-- prepared → approved{decision, until} → sending → accepted → signed_raw → verified → stamped → embedded
--   → declined | expired | lapsed | undeliverable | blocked | not_enrolled | cert_invalid | rejected | provider_down
--   sending, accepted → indeterminate;  signed_raw, verified, stamped → signed_held
-- What was received stays in the row after it was used: it is evidence.
create table attempts (
    attempt_id text primary key,
    version bigint not null,
    state text not null check (state in ('prepared', 'approved', 'sending', 'accepted', 'indeterminate', 'signed_raw',
        'verified', 'stamped', 'embedded', 'declined', 'expired', 'lapsed', 'undeliverable', 'blocked', 'not_enrolled',
        'cert_invalid', 'rejected', 'provider_down', 'signed_held')),
    document_id text references documents (document_id),
    signer bigint,
    head_sha256 text,
    device_id text references devices (device_id),
    person_id text not null references people (person_id),
    msisdn text not null,
    certificate_sha256 text not null,
    dtbs text not null,
    urgency bigint not null check (urgency between 0 and 3),
    decision_id text,
    until bigint,
    heading_since bigint,
    mssp_transaction text,
    ap_transaction text unique,
    signature blob,
    cms blob,
    cms_from text check (cms_from in ('device', 'server')),
    stamped_cms blob,
    stamped bigint,
    sealed_signature blob,
    protocol text,
    dossier text,
    waiting_for text,
    watched_at bigint,
    due bigint,
    lease_token text,
    lease_until bigint,
    created bigint not null,
    -- When the gate is to look at it next: exactly while it is the gate's.
    check ((due is not null) = (state in ('approved', 'sending', 'accepted', 'indeterminate'))),
    check ((document_id is null) = (signer is null) and (document_id is null) = (head_sha256 is null)),
    check ((document_id is null) = (device_id is not null)),
    check (state <> 'approved' or (decision_id is not null and until is not null)),
    check (state <> 'accepted' or mssp_transaction is not null),
    check (state not in ('signed_raw', 'verified', 'stamped', 'embedded') or signature is not null),
    check (state not in ('verified', 'stamped', 'embedded') or (cms is not null and cms_from is not null)),
    check (state <> 'stamped' or (stamped_cms is not null and stamped is not null)),
    check (state <> 'signed_held' or sealed_signature is not null)
);
-- At most one prompt per phone number, whoever asks.
create unique index attempts_one_live_per_number on attempts (msisdn)
    where state in ('sending', 'accepted', 'indeterminate', 'signed_raw');
create index attempts_queue on attempts (urgency desc, created, attempt_id) where due is not null;
create index attempts_waiting on attempts (msisdn, urgency desc, created) where state = 'approved';
create index attempts_by_document on attempts (document_id, created);
create index attempts_by_state on attempts (state, created);

-- One decision, one attempt, once: a replay has no row to take.
create table decisions (
    decision_id text primary key,
    attempt_id text not null unique references attempts (attempt_id),
    person_id text not null references people (person_id),
    device_id text not null references devices (device_id),
    client text not null check (client in ('native', 'web')),
    jws text not null,
    jws_sha256 text not null unique,
    expires bigint not null,
    at bigint not null
);
create index decisions_by_device on decisions (device_id, at);

create table registers (
    register_id text primary key,
    office_id text not null references offices (office_id),
    series text not null,
    year bigint not null,
    version bigint not null,
    last bigint not null check (last >= 0),
    last_date text,
    unique (office_id, series, year)
);

-- The book: every serial from 1 to the register's last has its row, void or not.
create table numbers (
    register_id text not null references registers (register_id),
    serial bigint not null check (serial >= 1),
    notation text not null,
    day text not null,
    document_id text not null references documents (document_id),
    taken_at bigint not null,
    void_reason text,
    void_at bigint,
    primary key (register_id, serial),
    check ((void_reason is null) = (void_at is null))
);
create unique index numbers_one_per_document on numbers (document_id) where void_at is null;

create table seal_tasks (
    seal_id text primary key,
    document_id text not null references documents (document_id),
    clerk_id text not null references people (person_id),
    head_sha256 text not null,
    tail_sha256 text not null,
    dtbs text not null,
    certificate_sha256 text not null,
    dossier text,
    at bigint not null
);
create index seal_tasks_by_document on seal_tasks (document_id, at);
create index seal_tasks_by_tail on seal_tasks (tail_sha256);

-- queued → handed → arrived → accepted → assigned → processing → done;  refused;  recall_asked → recalled | recall_refused
create table copies (
    copy_id text primary key,
    version bigint not null,
    document_id text not null references documents (document_id),
    recipient text not null,
    channel text not null check (channel in ('exchange', 'email', 'portal', 'paper')),
    state text not null check (state in ('queued', 'handed', 'arrived', 'accepted', 'assigned', 'processing', 'done',
        'refused', 'recall_asked', 'recalled', 'recall_refused')),
    note text,
    since bigint not null
);
create index copies_by_document on copies (document_id);

create table jobs (
    job_id text primary key,
    kind text not null,
    payload text not null,
    dedupe text,
    urgency bigint not null check (urgency between 0 and 3),
    state text not null check (state in ('waiting', 'dead')),
    run_at bigint not null,
    runs bigint not null,
    max_runs bigint not null,
    lease_token text,
    lease_until bigint,
    error text,
    created bigint not null
);
create unique index jobs_once on jobs (kind, dedupe) where dedupe is not null and state = 'waiting';
create index jobs_due on jobs (kind, urgency desc, run_at, job_id) where state = 'waiting';

create table idempotency (
    scope text not null,
    idempotency_key text not null,
    request_sha256 text not null,
    status bigint,
    body text,
    created bigint not null,
    primary key (scope, idempotency_key)
);
create index idempotency_by_age on idempotency (created);

create table deliveries (
    delivery_id text primary key,
    device_id text not null references devices (device_id),
    document_id text references documents (document_id),
    kind text not null,
    outcome text,
    at bigint not null,
    done_at bigint
);
create index deliveries_by_document on deliveries (document_id);

-- The journal. An entry is written by the transaction of its change; a leaf gives it its place in the Merkle tree a
-- moment later (one sequencer, so no writer waits for another). Nothing here is ever changed or deleted.
create table journal (
    entry_id text primary key,
    body blob not null,
    event text not null,
    document_id text,
    attempt_id text,
    at bigint not null
);
create index journal_by_document on journal (document_id) where document_id is not null;

-- Entries that have no leaf yet, so that the sequencer need not search.
create table journal_pending (
    entry_id text primary key references journal (entry_id)
);

create table journal_leaves (
    leaf bigint primary key check (leaf >= 0),
    entry_id text not null unique references journal (entry_id)
);

create table journal_nodes (
    node_level bigint not null,
    node_position bigint not null,
    hash text not null,
    primary key (node_level, node_position)
);

create table journal_checkpoints (
    size bigint primary key,
    words text not null,
    at bigint not null
);

create trigger journal_is_kept before update on journal begin select raise(abort, 'the journal is append-only'); end;
create trigger journal_is_not_cut before delete on journal begin select raise(abort, 'the journal is append-only'); end;
create trigger leaves_are_kept before update on journal_leaves begin select raise(abort, 'the journal is append-only'); end;
create trigger leaves_are_not_cut before delete on journal_leaves begin select raise(abort, 'the journal is append-only'); end;
create trigger nodes_are_kept before update on journal_nodes begin select raise(abort, 'the journal is append-only'); end;
create trigger nodes_are_not_cut before delete on journal_nodes begin select raise(abort, 'the journal is append-only'); end;
create trigger numbers_are_not_cut before delete on numbers begin select raise(abort, 'a number stays in its book'); end;
