package io.reactiverouter.jmh;

import java.sql.SQLException;

/** What is done with one account. */
enum Operation {
    READ {
        @Override
        void start(AsyncClient client, long account, long balance, Completion completion) {
            client.read(account, completion);
        }

        @Override
        long perform(BlockingClient client, long account, long balance) throws SQLException {
            return client.read(account);
        }
    },

    WRITE {
        @Override
        void start(AsyncClient client, long account, long balance, Completion completion) {
            client.write(account, balance, completion);
        }

        @Override
        long perform(BlockingClient client, long account, long balance) throws SQLException {
            return client.write(account, balance);
        }
    },

    POST {
        @Override
        void start(AsyncClient client, long account, long balance, Completion completion) {
            client.post(account, balance, completion);
        }

        @Override
        long perform(BlockingClient client, long account, long balance) throws SQLException {
            return client.post(account, balance);
        }
    };

    abstract void start(AsyncClient client, long account, long balance, Completion completion);

    abstract long perform(BlockingClient client, long account, long balance) throws SQLException;
}
