-- Receipts that ESMEs asked for. A row is written before its message is handed over (`waiting`), made `due` by the
-- message's end (or by its sending, for an intermediate notification), lent out until `due_at_ms` while a receiver has it,
-- and deleted when the receiver took it, at the latest at `expires_at_ms`.
-- `part` is zero for a whole message, else the part of a long one; `receipt_id` is the id that the client was given.

create table smpp_receipts (
    tenant_id       text not null,
    message_id      text not null,
    part            smallint not null,
    kind            text not null check (kind in ('final', 'intermediate')),
    state           text not null default 'waiting' check (state in ('waiting', 'due')),
    receipt_id      text not null,
    system_id       text not null,
    source_ton      smallint not null,
    source_npi      smallint not null,
    source_addr     text not null,
    dest_ton        smallint not null,
    dest_npi        smallint not null,
    dest_addr       text not null,
    failure_only    boolean not null,
    quoted          text not null,
    submitted_at_ms bigint not null,
    expires_at_ms   bigint not null,
    stat            text not null default '',
    err             text not null default '',
    done_at_ms      bigint not null default 0,
    due_at_ms       bigint not null default 0,
    attempts        integer not null default 0,
    primary key (tenant_id, message_id, part, kind)
) with (fillfactor = 70);
create index smpp_receipts_due on smpp_receipts (tenant_id, due_at_ms) where state = 'due';
create index smpp_receipts_expired on smpp_receipts (expires_at_ms);
