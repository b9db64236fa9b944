package io.reactiverouter.demo.trading;

import org.jspecify.annotations.Nullable;
import org.springframework.http.ProblemDetail;

/**
 * An element of a stream that says how it ended: orders, and then exactly one of the others. A stream that ends without it
 * was cut off.
 */
sealed interface StreamElement permits OrderView, StreamElement.End, StreamElement.Broken {

    /** Returns the name of the Server-Sent Event. */
    String event();

    /** The last element of an answer, which may be partial: the manifest says so. */
    record End(ManifestView manifest) implements StreamElement {

        @Override
        public String event() {
            return "manifest";
        }
    }

    /**
     * The last element of an answer that failed after orders had been sent, when it was too late for another status.
     *
     * @param manifest how far each shard had come, null if that is not known
     */
    record Broken(ProblemDetail error, @Nullable ManifestView manifest) implements StreamElement {

        @Override
        public String event() {
            return "error";
        }
    }
}
