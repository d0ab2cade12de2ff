-- Configuration, its outbox, the archive, the ledger and the callbacks.
-- Times are milliseconds since 1970 UTC (`_ms`), amounts micro-units of the tenant's currency (`_micros`).
-- The tenant comes first in every key that has one.

create table tenants (
    tenant_id  text primary key,
    value      jsonb not null,
    name       text generated always as (value ->> 'name') stored,
    status     text generated always as (value ->> 'status') stored,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

-- `key_id` is part of the secret that is handed out, so one row is found and one hash decides.
-- `seed_name` is the name a file of settings knows the key by; keys made over the API have none.
create table api_keys (
    tenant_id     text not null references tenants,
    key_id        text not null unique,
    label         text not null,
    scopes        text[] not null,
    test          boolean not null,
    rate_per_s    integer not null default 0,
    expires_at_ms bigint not null default 0,
    revoked       boolean not null default false,
    secret_hash   text not null,
    seed_name     text,
    created_at    timestamptz not null default clock_timestamp(),
    primary key (tenant_id, key_id),
    unique (tenant_id, seed_name)
);

create table smpp_credentials (
    tenant_id   text not null references tenants,
    system_id   text not null unique,
    secret_hash text not null,
    key_id      text not null,
    primary key (tenant_id, system_id),
    foreign key (tenant_id, key_id) references api_keys (tenant_id, key_id)
);

create table smtp_credentials (
    tenant_id   text not null references tenants,
    username    text not null unique,
    secret_hash text not null,
    key_id      text not null,
    primary key (tenant_id, username),
    foreign key (tenant_id, key_id) references api_keys (tenant_id, key_id)
);

create table cascade_rules (
    tenant_id  text not null references tenants,
    rule_id    text not null,
    value      jsonb not null,
    name       text generated always as (value ->> 'name') stored,
    updated_at timestamptz not null default now(),
    primary key (tenant_id, rule_id)
);

-- Routes are the platform's, not a tenant's. `source` is the file they came from.
create table routes (
    route_id   text primary key,
    value      jsonb not null,
    source     text not null,
    updated_at timestamptz not null default now()
);

-- `secrets`: the current one first, the one being replaced second; each signs.
create table webhook_endpoints (
    tenant_id       text not null references tenants,
    endpoint_id     text not null,
    url             text not null,
    secrets         text[] not null check (cardinality(secrets) between 1 and 2),
    enabled         boolean not null default true,
    disabled_reason text not null default '',
    created_at      timestamptz not null default now(),
    primary key (tenant_id, endpoint_id)
);

-- Ids are given in the order of commits: writers take an advisory lock before they insert here.
create table config_outbox (
    id           bigint generated always as identity primary key,
    key          text not null,
    value        bytea,
    created_at   timestamptz not null default now(),
    published_at timestamptz
);
create index config_outbox_pending on config_outbox (id) where published_at is null;
create index config_outbox_newest on config_outbox (key, id desc);

-- `cascade` is the encoded record, `state` and the rest are for searching. Indexed columns never change,
-- so that an update stays within its page.
create table messages (
    tenant_id      text not null,
    message_id     text not null,
    revision       bigint not null,
    state          text not null,
    channel        text not null,
    reference      text not null,
    recipient_hash text not null,
    charged_micros bigint not null,
    created_at_ms  bigint not null,
    updated_at_ms  bigint not null,
    "cascade"      bytea not null,
    primary key (tenant_id, message_id)
) with (fillfactor = 70);
create index messages_by_time on messages (tenant_id, created_at_ms desc, message_id desc);
create index messages_by_recipient on messages (tenant_id, recipient_hash, created_at_ms desc);
create index messages_by_reference on messages (tenant_id, reference, created_at_ms desc) where reference <> '';

create table attempts (
    tenant_id       text not null,
    message_id      text not null,
    number          bigint not null,
    revision        bigint not null,
    step            bigint not null,
    channel         text not null,
    state           text not null,
    carrier         text not null,
    provider_ids    text[] not null,
    code            text not null,
    detail          text not null,
    segments        bigint not null,
    price_micros    bigint not null,
    cost_micros     bigint not null,
    started_at_ms   bigint not null,
    completed_at_ms bigint not null,
    primary key (tenant_id, message_id, number)
) with (fillfactor = 70);

create table events (
    tenant_id  text not null,
    message_id text not null,
    place      bigint not null,
    at_ms      bigint not null,
    event      text not null,
    attempt    bigint not null,
    detail     text not null,
    primary key (tenant_id, message_id, place)
);

create table ledger_entries (
    tenant_id        text not null,
    entry_id         text not null,
    message_id       text not null,
    kind             text not null,
    available_micros bigint not null,
    reserved_micros  bigint not null,
    spent_micros     bigint not null,
    granted_micros   bigint not null,
    seq              bigint not null,
    at_ms            bigint not null,
    channel          text not null,
    carrier          text not null,
    segments         bigint not null,
    cost_micros      bigint not null,
    primary key (tenant_id, entry_id)
);
create index ledger_entries_by_seq on ledger_entries (tenant_id, seq);

-- While an attempt runs, `due_at_ms` is when its lease ends: what a dead process held becomes due again.
create table webhook_deliveries (
    tenant_id     text not null,
    event_id      text not null,
    endpoint_id   text not null,
    message_id    text not null,
    type          text not null,
    payload       bytea not null,
    state         text not null default 'pending' check (state in ('pending', 'delivered', 'failed')),
    attempts      integer not null default 0,
    created_at_ms bigint not null,
    due_at_ms     bigint not null,
    settled_at_ms bigint not null default 0,
    last_status   integer not null default 0,
    last_error    text not null default '',
    primary key (tenant_id, event_id, endpoint_id)
);
create index webhook_deliveries_due on webhook_deliveries (due_at_ms) where state = 'pending';
