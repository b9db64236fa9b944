package io.reactiverouter.scatter;

import java.util.Arrays;
import java.util.Optional;

/**
 * How far a scatter-gather had come when it failed. The error of the shard passes through unchanged, so that its type and
 * SQLSTATE stay; this note is attached to it as suppressed. {@link #of} finds it.
 */
public final class ScatterFailure extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final transient ScatterManifest manifest;

    ScatterFailure(ScatterManifest manifest) {
        super("scatter-gather ended early: " + manifest.outcomes(), null, false, false);
        this.manifest = manifest;
    }

    /** Returns the note on this error, if it came from a scatter-gather. */
    public static Optional<ScatterFailure> of(Throwable error) {
        return Arrays.stream(error.getSuppressed())
                .filter(ScatterFailure.class::isInstance)
                .map(ScatterFailure.class::cast)
                .findFirst();
    }

    public ScatterManifest manifest() {
        return manifest;
    }
}
