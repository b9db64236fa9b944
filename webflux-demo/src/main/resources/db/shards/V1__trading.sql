-- All tables of the keyspace "trading": every row carries user_id, and lies on that user's shard.
create table users (
    user_id    bigint primary key check (user_id > 0),
    created_at timestamptz not null default now()
);

create table orders (
    order_id   bigint primary key,
    user_id    bigint not null references users,
    symbol     text collate "C" not null check (symbol ~ '^[A-Z]{1,8}$'),
    side       text not null check (side in ('BUY', 'SELL')),
    type       text not null check (type in ('MARKET', 'LIMIT')),
    quantity   bigint not null check (quantity > 0),
    price      numeric(18, 4) not null check (price > 0),
    status     text not null check (status in ('OPEN', 'FILLED')),
    created_at timestamptz not null
);
create index orders_of_user on orders (user_id, order_id desc);
create index orders_of_symbol on orders (symbol, status);
create index orders_by_amount on orders ((quantity * price) desc, order_id);

create table trades (
    trade_id    bigint primary key,
    order_id    bigint not null references orders,
    user_id     bigint not null references users,
    symbol      text collate "C" not null,
    side        text not null check (side in ('BUY', 'SELL')),
    quantity    bigint not null check (quantity > 0),
    price       numeric(18, 4) not null check (price > 0),
    executed_at timestamptz not null
);
create index trades_of_user on trades (user_id, trade_id desc);
create index trades_of_order on trades (order_id);

create table positions (
    user_id  bigint not null references users,
    symbol   text collate "C" not null,
    quantity bigint not null,
    cost     numeric(24, 4) not null,
    primary key (user_id, symbol)
);
