package io.reactiverouter;

import io.reactiverouter.topology.ShardId;

/**
 * About how much a shard holds of a keyspace, as its planner believes: the figures are as old as the last {@code analyze}, and 0
 * for a table that has never been analyzed.
 *
 * @param shard the shard
 * @param rows in all tables of the keyspace together
 * @param keys distinct sharding keys, of the table that has the most
 */
public record ShardRows(ShardId shard, long rows, long keys) {}
