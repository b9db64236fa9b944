package io.reactiverouter.test;

/** A JVM with shards for {@link ExitIntegrationTests}: prints what it started and then waits to be ended. */
final class ExitProbe {

    private ExitProbe() {}

    public static void main(String[] arguments) throws Exception {
        EmbeddedShards shards = EmbeddedShards.start(2);
        System.out.println("directory " + shards.directory());
        shards.pids().forEach(pid -> System.out.println("pid " + pid));
        System.out.println("ready " + System.getProperty("user.name"));
        if (arguments.length == 0) {
            Thread.sleep(60_000);
        }
    }
}
