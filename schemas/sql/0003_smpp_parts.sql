-- Parts of long messages, each acknowledged to its ESME once it is here, until the whole has been handed over.
-- A group is a tenant's addresses with kind (0: sar_* TLVs; 8 and 16: bits of the reference in the user data header),
-- reference and total. Every part of a group has the message id that the whole will have. `frame` is the submit_sm with
-- sequence number zero. After `until_ms` an incomplete group is given up, and one that was `sent` is forgotten.

create table smpp_parts (
    tenant_id      text not null,
    source_addr    text not null,
    dest_addr      text not null,
    kind           smallint not null,
    ref            integer not null,
    total          smallint not null,
    seq            smallint not null,
    message_id     text not null,
    system_id      text not null,
    frame          bytea not null,
    sent           boolean not null default false,
    received_at_ms bigint not null,
    until_ms       bigint not null,
    primary key (tenant_id, source_addr, dest_addr, kind, ref, total, seq)
);
create index smpp_parts_overdue on smpp_parts (until_ms);
