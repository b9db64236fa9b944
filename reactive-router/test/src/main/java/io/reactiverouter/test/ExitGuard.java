package io.reactiverouter.test;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Stops the servers below a directory and deletes it when the JVM is gone, even if it was killed and could do nothing
 * itself. A small shell waits for the end of a pipe whose other end only the JVM holds. None on Windows.
 */
final class ExitGuard implements AutoCloseable {

    private static final String SCRIPT = """
            trap '' HUP INT TERM
            read -r line
            for attempt in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
                [ -d "$1" ] || exit 0
                running=no
                for file in "$1"/*/postmaster.pid; do
                    [ -f "$file" ] || continue
                    read -r pid < "$file"
                    if kill -QUIT "$pid"; then
                        running=yes
                        kill -CONT "$pid"
                    else
                        segment=$(sed -n 7p "$file")
                        ipcrm -m "${segment##* }"
                    fi
                done
                for file in "$1"/*.paused; do
                    [ -f "$file" ] && while read -r pid; do kill -CONT "$pid"; done < "$file"
                done
                [ $running = no ] && rm -rf "$1"
                sleep 0.25
            done
            for file in "$1"/*/postmaster.pid; do
                [ -f "$file" ] && read -r pid < "$file" && kill -KILL "$pid"
            done
            rm -rf "$1"
            """;

    private final @Nullable Process shell;

    ExitGuard(Path directory) {
        try {
            shell = File.separatorChar == '/'
                    ? new ProcessBuilder("sh", "-c", SCRIPT, "reactive-router-guard", directory.toString())
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .redirectError(ProcessBuilder.Redirect.DISCARD)
                            .start()
                    : null;
        } catch (IOException e) {
            throw new UncheckedIOException("no shell (sh) can be run to watch over " + directory, e);
        }
    }

    /** Ends the guard; what it guards has been stopped before. */
    @Override
    public void close() {
        if (shell == null) {
            return;
        }
        try {
            shell.getOutputStream().close();
        } catch (IOException e) {
            throw new UncheckedIOException("could not end the guard of embedded shards", e);
        }
    }
}
