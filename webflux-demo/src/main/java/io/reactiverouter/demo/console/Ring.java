package io.reactiverouter.demo.console;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;

/** The last so many of what comes. Thread-safe, and nobody waits for another. */
final class Ring<T> {

    private final AtomicReferenceArray<T> places;
    private final AtomicLong next = new AtomicLong();

    Ring(int size) {
        places = new AtomicReferenceArray<>(size);
    }

    void add(T element) {
        places.set((int) (next.getAndIncrement() % places.length()), element);
    }

    /** Returns what is there, the latest first; one that is being added may be missing. */
    List<T> latest() {
        List<T> found = new ArrayList<>();
        long end = next.get();
        for (long i = end - 1; i >= Math.max(0, end - places.length()); i--) {
            T element = places.get((int) (i % places.length()));
            if (element != null) {
                found.add(element);
            }
        }
        return found;
    }
}
