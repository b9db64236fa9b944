package io.reactiverouter.test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * What a server that was killed leaves outside its data directory: a System V segment of some bytes, by which the next one
 * would see that another uses the directory. (All other shared memory is anonymous or, by the kit's settings, in files of
 * the data directory.) The system has few such segments, and nothing else removes them.
 */
final class SharedMemory {

    private static final Duration LIMIT = Duration.ofSeconds(5);
    private static final System.Logger LOG = System.getLogger(SharedMemory.class.getName());

    /** In postmaster.pid: key and id of the segment. */
    private static final int LINE = 6;

    private SharedMemory() {}

    /** Removes the segment of a server that has ended without doing so, and the file that names it. */
    static void remove(Path data) throws IOException {
        Path file = data.resolve("postmaster.pid");
        if (!Files.exists(file)) {
            return;
        }
        List<String> lines = Files.readAllLines(file);
        if (lines.size() > LINE) {
            String[] segment = lines.get(LINE).trim().split("\\s+", -1);
            if (segment.length == 2) {
                try {
                    Processes.run(List.of("ipcrm", "-m", segment[1]), LIMIT, ProcessBuilder.Redirect.DISCARD);
                } catch (IOException e) {
                    // Without that program nothing is lost but those bytes.
                    LOG.log(System.Logger.Level.DEBUG, "segment " + segment[1] + " of " + data + " stays", e);
                }
            }
        }
        Files.deleteIfExists(file);
    }
}
