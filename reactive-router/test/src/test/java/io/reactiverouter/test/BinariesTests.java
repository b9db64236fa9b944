package io.reactiverouter.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BinariesTests {

    private final Path temporary;

    BinariesTests(@TempDir Path temporary) {
        this.temporary = temporary;
    }

    @BeforeEach
    void posix() {
        assumeTrue(temporary.getFileSystem().supportedFileAttributeViews().contains("posix"), "no POSIX file system");
    }

    @Test
    void everyUserHasADirectoryThatNobodyElseEnters() throws IOException {
        Path first = Binaries.directory(temporary, "anna");
        Path second = Binaries.directory(temporary, "ben/../x");

        assertThat(first).isEqualTo(Binaries.directory(temporary, "anna"));
        assertThat(first).isEqualTo(temporary.resolve("reactive-router-anna").resolve("postgres"));
        assertThat(second)
                .isEqualTo(temporary.resolve("reactive-router-ben_.._x").resolve("postgres"));
        for (String name : List.of("reactive-router-anna", "reactive-router-ben_.._x")) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(temporary.resolve(name))))
                    .isEqualTo("rwx------");
        }
    }

    @Test
    void directoryMadeByAnotherUserIsRefused() throws IOException {
        assumeTrue("root".equals(System.getProperty("user.name")), "only root can give a directory away");
        Path planted = Files.createDirectory(temporary.resolve("reactive-router-anna"));
        Files.setOwner(
                planted, planted.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByName("nobody"));

        assertThatThrownBy(() -> Binaries.directory(temporary, "anna"))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining(planted + " belongs to another user")
                .hasMessageContaining("java.io.tmpdir");
    }
}
