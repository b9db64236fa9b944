package io.reactiverouter.test;

import java.nio.file.Path;

/**
 * An application with shards for {@link ExitIntegrationTests}: says what it does, and then ends, or waits to be ended. Its
 * arguments are the directory for data and, for one that ends by itself, {@code end}.
 */
final class ExitProbe {

    private ExitProbe() {}

    public static void main(String[] arguments) throws Exception {
        System.out.println("starting .");
        EmbeddedShards shards =
                EmbeddedShards.builder(2).directory(Path.of(arguments[0])).start();
        System.out.println("ready " + System.getProperty("user.name"));
        if (arguments.length == 1) {
            Thread.sleep(60_000);
        }
        System.out.println("ending " + shards);
    }
}
