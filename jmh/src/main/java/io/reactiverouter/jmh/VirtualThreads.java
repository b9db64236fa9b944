package io.reactiverouter.jmh;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/** Virtual threads, which JDK 21 and later have. */
final class VirtualThreads {

    private static final @Nullable MethodHandle FACTORY = factory();

    private VirtualThreads() {}

    private static @Nullable MethodHandle factory() {
        try {
            return MethodHandles.publicLookup()
                    .findStatic(
                            Executors.class,
                            "newVirtualThreadPerTaskExecutor",
                            MethodType.methodType(ExecutorService.class));
        } catch (NoSuchMethodException e) {
            return null;
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
    }

    static boolean available() {
        return FACTORY != null;
    }

    /** Returns an executor that starts a virtual thread for each task. */
    static ExecutorService executor() {
        if (FACTORY == null) {
            throw new IllegalStateException("virtual threads need JDK 21 or later");
        }
        try {
            return (ExecutorService) FACTORY.invokeExact();
        } catch (Throwable e) {
            throw new IllegalStateException("virtual threads could not be started", e);
        }
    }
}
