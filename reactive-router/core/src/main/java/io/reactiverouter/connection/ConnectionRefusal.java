package io.reactiverouter.connection;

/** An error of a node's connection that says itself what is wrong, and needs no other around it. */
interface ConnectionRefusal {}
