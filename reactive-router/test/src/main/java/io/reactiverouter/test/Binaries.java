package io.reactiverouter.test;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;

/**
 * Where the programs of PostgreSQL are unpacked: a directory for each user below the one for temporary files, because users
 * cannot write into each other's. Nobody else may enter it: what lies in it is run.
 */
final class Binaries {

    private static final boolean POSIX =
            Path.of("").getFileSystem().supportedFileAttributeViews().contains("posix");

    private Binaries() {}

    /** Returns the directory to unpack into, made if it is not there. */
    static Path directory() {
        return directory(Path.of(System.getProperty("java.io.tmpdir")), System.getProperty("user.name", ""));
    }

    static Path directory(Path parent, String user) {
        Path own = parent.resolve("reactive-router-" + user.replaceAll("[^A-Za-z0-9._-]", "_"));
        try {
            createPrivate(own);
            // One level below, because unpacking opens its own directory to all users.
            return Files.createDirectories(own.resolve("postgres"));
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "PostgreSQL cannot be unpacked: " + e.getMessage() + "; set the system property java.io.tmpdir to a"
                            + " directory that this user can write to",
                    e);
        }
    }

    private static void createPrivate(Path own) throws IOException {
        try {
            Files.createDirectory(own);
        } catch (FileAlreadyExistsException e) {
            if (POSIX && !Files.getOwner(own, LinkOption.NOFOLLOW_LINKS).equals(currentUser(own))) {
                throw new IOException(own + " belongs to another user", e);
            }
        }
        if (POSIX) {
            Files.setPosixFilePermissions(own, PosixFilePermissions.fromString("rwx------"));
        }
    }

    private static UserPrincipal currentUser(Path own) throws IOException {
        Path mine = Files.createTempFile(own.getParent(), "reactive-router-", ".owner");
        try {
            return Files.getOwner(mine);
        } finally {
            Files.delete(mine);
        }
    }
}
