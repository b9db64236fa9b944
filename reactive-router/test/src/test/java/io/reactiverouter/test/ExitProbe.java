package io.reactiverouter.test;

import java.nio.file.Path;

/**
 * An application with shards for {@link ExitIntegrationTests}: says what it does, and then ends, or waits to be ended. Its
 * arguments are the directory for data and, for one that ends by itself, {@code end}, or, for one that waits with a paused
 * server, {@code pause}.
 */
final class ExitProbe {

    private ExitProbe() {}

    public static void main(String[] arguments) throws Exception {
        System.out.println("starting .");
        EmbeddedShards shards =
                EmbeddedShards.builder(2).directory(Path.of(arguments[0])).start();
        boolean end = arguments.length > 1 && arguments[1].equals("end");
        if (arguments.length > 1 && arguments[1].equals("pause")) {
            shards.server(0).node().openJdbc(); // has a process of its own
            shards.server(0).pause();
        }
        System.out.println("ready " + System.getProperty("user.name"));
        if (!end) {
            Thread.sleep(60_000);
        }
        System.out.println("ending " + shards);
    }
}
