package io.reactiverouter.connection;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SessionChangeTests {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "select * from orders where user_id = $1",
                "SELECT 1; select 2;",
                "update orders set temperature = 1, reset = 2 where prepare = 3",
                "insert into t values ($1) on conflict do update set x = 1",
                "with x as (select 1) select * from x",
                "(select 1) union (select 2)",
                "/* set x */ select 1",
                "-- a comment that begins with set\nselect 1",
                "begin; savepoint a; rollback to a; release a; commit",
                "prepare transaction 'x'",
                "PREPARE\n TRANSACTION 'x'",
                "select pg_advisory_xact_lock(1), pg_try_advisory_xact_lock_shared(2)",
                "copy t to stdout",
                "",
                "   ;; ",
                "select 'a;b', 'it''s; set x', E'a\\';set x', $$; set x$$, $tag$ $$ ; set x $tag$, $1",
                "update t set note = 'cook; prepare rice'",
                "select 1 /* a /* nested */ ; set x */",
                "select a-b, c/d, e'x', \"set\", 'set_config'",
                "select 1 as \"set x\", \"a\"\"; set x\"",
                "select 'a'\n'; set x'",
                "select E'\\\\' , 'set x'",
                "select 1 as \"not ended",
                "select 1 /* not ended",
                "select 1 -- not ended"
            })
    void statementsLeaveNothing(String sql) {
        assertThat(SessionChange.of(sql)).isEqualTo(SessionChange.NONE);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "set search_path = x",
                "  SET ROLE other",
                "select 1; set x = 1",
                "select 1 as \"--\"; set x = 1",
                "select 1 as \"it's\"; set x = 1; select 2 as \"it's\"",
                "select 1 as \"a$$b\"; set x = 1; select 2 as \"a$$b\"",
                "select 1 as \"a\"\"'b\"; set x = 1",
                "select 1 as a$x$; set x = 1; select 2 as b$x$",
                "select E'\'\'\\'\' ; set x = 1; -- '",
                "select E'a'\n'\\'' ; set x = 1; -- '",
                "select E'a' -- b\n -- c\n '\\'' ; set x = 1; -- '",
                "select \"set_config\"('a.b', 'x', false)",
                "select \"pg_catalog\".\"pg_advisory_lock\"(1)",
                "/* a */ -- b\n set x = 1",
                "reset all",
                "select set_config('search_path', 'x', false)",
                "select pg_catalog.set_config('a.b', 'x', $1)",
                "select pg_advisory_lock(1)",
                "SELECT PG_TRY_ADVISORY_LOCK_SHARED(1)",
                "create temp table x (id int)",
                "create temporary view x as select 1",
                "select 1 as a into temp b",
                "listen x",
                "declare c cursor with hold for select 1",
                "do $$ begin end $$",
                "call p()",
                "create table x (id int)",
                "insert into t values ('a -- b'); set role admin",
                "select '/*', set_config('search_path','x',false)",
                "select $$--$$; set search_path = x",
                "/* a /* b */ select 1 */ set role x",
                "select 1; -- c\rset role x",
                "select \"set_config\"('search_path', 'x', false)",
                "select E'\\'', pg_advisory_lock(1)",
                "select 1 as a into pg_temp.x",
                "explain analyze create table pg_temp.x as select 1",
                "update pg_settings set setting = 'x' where name = 'search_path'"
            })
    void whatMayChangeTheSessionIsResetAfterwards(String sql) {
        assertThat(SessionChange.of(sql)).isEqualTo(SessionChange.RESETTABLE);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "prepare x as select 1",
                "deallocate x",
                "discard all",
                "load 'auto_explain'",
                "set x = 1; prepare x as select 1",
                "select setseed(0.5)",
                "set seed to 0.5",
                "SET SESSION seed = 0.5",
                "select dblink_connect_u('x')",
                "prepare transactions as select 1",
                "select U&\"set\\005fconfig\"('a.b', 'x', false)"
            })
    void whatCannotBeResetEndsTheConnection(String sql) {
        assertThat(SessionChange.of(sql)).isEqualTo(SessionChange.LASTING);
    }

    @Test
    void textsOfTheSamePlaceAreToldApart() {
        for (int i = 0; i < 2_000; i++) {
            assertThat(SessionChange.of("select " + i)).isEqualTo(SessionChange.NONE);
            assertThat(SessionChange.of("set x = " + i % 100)).isEqualTo(SessionChange.RESETTABLE);
            assertThat(SessionChange.of("discard all -- " + i % 10)).isEqualTo(SessionChange.LASTING);
        }
    }
}
