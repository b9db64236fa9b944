create table countries (code text primary key);
