-- A copy that cannot leave says why; what will never arrive as it is addressed is undeliverable.
-- queued → undeliverable → queued (sent again) | handed (by hand)
drop index copies_by_document;
alter table copies rename to copies_before;
create table copies (
    copy_id text primary key,
    version bigint not null,
    document_id text not null references documents (document_id),
    recipient text not null,
    channel text not null check (channel in ('exchange', 'email', 'portal', 'paper')),
    state text not null check (state in ('queued', 'undeliverable', 'handed', 'arrived', 'accepted', 'assigned',
        'processing', 'done', 'refused', 'recall_asked', 'recalled', 'recall_refused')),
    hindrance text check (hindrance in ('by_hand', 'channel_not_set_up', 'mail_not_set_up', 'mail_unreachable',
        'address_refused', 'too_large', 'recall_waits')),
    note text,
    since bigint not null,
    check (hindrance is null or state in ('queued', 'undeliverable', 'recall_asked')),
    check (state <> 'undeliverable' or hindrance is not null)
);
-- No copy was handed over by a machine before: what is queued waits for the clerk, or for an address.
insert into copies (copy_id, version, document_id, recipient, channel, state, hindrance, note, since)
    select copy_id, version, document_id, recipient, channel, state,
        case when state <> 'queued' then null when channel = 'paper' then 'by_hand' else 'channel_not_set_up' end,
        note, since
    from copies_before;
drop table copies_before;
create index copies_by_document on copies (document_id);
create index copies_waiting_for_mail on copies (copy_id) where hindrance = 'mail_not_set_up';
