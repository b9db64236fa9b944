package io.reactiverouter.test;

/** Where the servers of a contract run. */
enum ServersUnderTest {
    EMBEDDED {
        @Override
        ShardServers plain(int count) {
            return EmbeddedShards.builder(count).start();
        }

        @Override
        ShardServers withReplica(String initSql) {
            return EmbeddedShards.builder(1).replicas(1).initSql(initSql).start();
        }

        @Override
        ShardServers withReplicaAndNetworks(String initSql) {
            return EmbeddedShards.builder(1)
                    .replicas(1)
                    .networks()
                    .initSql(initSql)
                    .start();
        }

        @Override
        ShardServers replicatedInStep(String initSql) {
            return EmbeddedShards.builder(1)
                    .setting("synchronous_standby_names", "*")
                    .replicas(1)
                    .initSql(initSql)
                    .start();
        }

        @Override
        void replicas(int perShard) {
            EmbeddedShards.builder(1).replicas(perShard);
        }
    },

    /** Only where a Docker engine answers. */
    CONTAINERS {
        @Override
        ShardServers plain(int count) {
            return ContainerShards.builder(count).start();
        }

        @Override
        ShardServers withReplica(String initSql) {
            return ContainerShards.builder(1).replicas(1).initSql(initSql).start();
        }

        @Override
        ShardServers withReplicaAndNetworks(String initSql) {
            return ContainerShards.builder(1)
                    .replicas(1)
                    .networks()
                    .initSql(initSql)
                    .start();
        }

        @Override
        ShardServers replicatedInStep(String initSql) {
            return ContainerShards.builder(1)
                    .setting("synchronous_standby_names", "*")
                    .replicas(1)
                    .initSql(initSql)
                    .start();
        }

        @Override
        void replicas(int perShard) {
            ContainerShards.builder(1).replicas(perShard);
        }
    };

    /** Starts shards with default settings. */
    abstract ShardServers plain(int count);

    /** Starts one shard with a replica. */
    abstract ShardServers withReplica(String initSql);

    /** Starts one shard with a replica, and a network before each. */
    abstract ShardServers withReplicaAndNetworks(String initSql);

    /** Starts one shard whose commits wait for its replica. */
    abstract ShardServers replicatedInStep(String initSql);

    /** Asks for so many replicas, without a start. */
    abstract void replicas(int perShard);
}
