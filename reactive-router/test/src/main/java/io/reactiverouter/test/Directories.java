package io.reactiverouter.test;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.FileVisitor;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Directories whose files may come and go meanwhile, because a server is at work in them. */
final class Directories {

    private Directories() {}

    /**
     * Copies a directory to one that does not exist, permissions included.
     *
     * @param skipped files that are not copied, and directories whose contents are not; asked with paths below {@code from}
     */
    static void copy(Path from, Path to, Predicate<Path> skipped) throws IOException {
        FileVisitor<Path> copying = new Tolerant() {

            @Override
            public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes)
                    throws IOException {
                Path below = from.relativize(directory);
                try {
                    Files.copy(directory, to.resolve(below), StandardCopyOption.COPY_ATTRIBUTES);
                } catch (NoSuchFileException e) {
                    return FileVisitResult.SKIP_SUBTREE;
                }
                return skipped.test(below) ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Path below = from.relativize(file);
                if (!skipped.test(below)) {
                    try {
                        Files.copy(file, to.resolve(below), StandardCopyOption.COPY_ATTRIBUTES);
                    } catch (NoSuchFileException e) {
                        return visitFileFailed(file, e);
                    }
                }
                return FileVisitResult.CONTINUE;
            }
        };
        Files.walkFileTree(from, copying);
    }

    /** Deletes a directory with all that it holds; does nothing if it is not there. */
    static void delete(Path directory) throws IOException {
        Files.walkFileTree(directory, new Tolerant() {

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.deleteIfExists(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path visited, @Nullable IOException error) throws IOException {
                super.postVisitDirectory(visited, error);
                Files.deleteIfExists(visited);
                return FileVisitResult.CONTINUE;
            }
        });
    }

    /** What has gone before it could be visited is passed over. */
    private static class Tolerant extends SimpleFileVisitor<Path> {

        @Override
        public FileVisitResult visitFileFailed(Path file, IOException error) throws IOException {
            if (error instanceof NoSuchFileException) {
                return FileVisitResult.CONTINUE;
            }
            throw error;
        }
    }
}
