create index concurrently accounts_big on accounts (id) where id > 1000;
