-- A late signature is decided on anew: adopted (signed_held → verified) or given up (signed_held → voided), each by a
-- decision of its own. An attempt is approved once; what is decided about its late signature is kept beside that.
alter table decisions rename to decisions_before;
alter table attempts rename to attempts_before;
create table attempts (
    attempt_id text primary key,
    version bigint not null,
    state text not null check (state in ('prepared', 'approved', 'sending', 'accepted', 'indeterminate', 'signed_raw',
        'verified', 'stamped', 'embedded', 'declined', 'expired', 'lapsed', 'undeliverable', 'blocked', 'not_enrolled',
        'cert_invalid', 'rejected', 'provider_down', 'signed_held', 'voided')),
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
    changed bigint not null default 0,
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
insert into attempts (attempt_id, version, state, document_id, signer, head_sha256, device_id, person_id, msisdn, certificate_sha256, dtbs,
    urgency, decision_id, until, heading_since, mssp_transaction, ap_transaction, signature, cms, cms_from, stamped_cms,
    stamped, sealed_signature, protocol, dossier, waiting_for, watched_at, due, lease_token, lease_until, created, changed)
    select attempt_id, version, state, document_id, signer, head_sha256, device_id, person_id, msisdn, certificate_sha256,
        dtbs, urgency, decision_id, until, heading_since, mssp_transaction, ap_transaction,
        case when state = 'signed_held' then null else signature end, cms, cms_from, stamped_cms, stamped,
        sealed_signature, case when state = 'signed_held' then null else protocol end, dossier, waiting_for, watched_at,
        due, lease_token, lease_until, created, changed
    from attempts_before;
create table decisions (
    decision_id text primary key,
    attempt_id text not null references attempts (attempt_id),
    kind text not null check (kind in ('approve', 'adopt', 'void')),
    person_id text not null references people (person_id),
    device_id text not null references devices (device_id),
    client text not null check (client in ('native', 'web')),
    jws text not null,
    jws_sha256 text not null unique,
    expires bigint not null,
    at bigint not null
);
insert into decisions (decision_id, attempt_id, kind, person_id, device_id, client, jws, jws_sha256, expires, at)
    select decision_id, attempt_id, 'approve', person_id, device_id, client, jws, jws_sha256, expires, at
    from decisions_before;
drop table decisions_before;
drop table attempts_before;
-- At most one prompt per phone number, whoever asks.
create unique index attempts_one_live_per_number on attempts (msisdn)
    where state in ('sending', 'accepted', 'indeterminate', 'signed_raw');
create index attempts_queue on attempts (urgency desc, created, attempt_id) where due is not null;
create index attempts_waiting on attempts (msisdn, urgency desc, created) where state = 'approved';
create index attempts_by_document on attempts (document_id, created);
create index attempts_by_state on attempts (state, created);
create index attempts_held on attempts (person_id, created) where state = 'signed_held';
-- One approval, one attempt, once: a replay has no row to take.
create unique index decisions_one_approval on decisions (attempt_id) where kind = 'approve';
create index decisions_by_attempt on decisions (attempt_id);
create index decisions_by_device on decisions (device_id, at);
