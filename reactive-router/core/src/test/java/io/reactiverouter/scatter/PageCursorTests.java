package io.reactiverouter.scatter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.reactiverouter.order.SortKey;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;

@NullUnmarked
class PageCursorTests {

    private static final byte[] KEY = new byte[32];
    private static final String SQL = "select * from orders";
    private static final List<SortKey> ORDER = List.of(SortKey.desc("amount"), SortKey.asc("note"), SortKey.asc("id"));

    @Test
    void placeComesBack() {
        PageCursor cursors = new PageCursor(KEY);
        String[] place = {null, "𝄞 and \u0001, \"quoted\"", ""};

        assertThat(cursors.read(SQL, ORDER, cursors.write(SQL, ORDER, place))).containsExactly(place);
    }

    @Test
    void placeThatWouldNotBeReadBackIsNotWritten() {
        PageCursor cursors = new PageCursor(KEY);
        String[] longest = {"x".repeat(12_200), null, null};

        assertThat(cursors.read(SQL, ORDER, cursors.write(SQL, ORDER, longest))).containsExactly(longest);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> cursors.write(SQL, ORDER, new String[] {"x".repeat(12_300), null, null}))
                .withMessageContaining("order by shorter columns");
    }

    @Test
    void cursorIsForOneQueryAndOrder() {
        PageCursor cursors = new PageCursor(KEY);
        String cursor = cursors.write(SQL, ORDER, new String[] {"1", "2", "3"});
        List<SortKey> other = List.of(SortKey.desc("amount").nullsLast(), SortKey.asc("note"), SortKey.asc("id"));

        assertThatThrownBy(() -> cursors.read(SQL + " ", ORDER, cursor))
                .isInstanceOf(InvalidCursorException.class)
                .hasMessageContaining("another query or order");
        assertThatThrownBy(() -> cursors.read(SQL, other, cursor)).isInstanceOf(InvalidCursorException.class);
    }

    @Test
    void everyChangedBitIsNoticed() {
        PageCursor cursors = new PageCursor(KEY);
        byte[] bytes = Base64.getUrlDecoder().decode(cursors.write(SQL, ORDER, new String[] {"1", null, "3"}));
        for (int bit = 0; bit < bytes.length * 8; bit++) {
            byte[] changed = bytes.clone();
            changed[bit / 8] ^= (byte) (1 << bit % 8);
            String cursor = Base64.getUrlEncoder().withoutPadding().encodeToString(changed);
            assertThatThrownBy(() -> cursors.read(SQL, ORDER, cursor))
                    .as("bit %d", bit)
                    .isInstanceOf(InvalidCursorException.class);
        }
    }

    @Test
    void anotherKeyRefuses() {
        byte[] other = KEY.clone();
        other[31] = 1;
        String cursor = new PageCursor(KEY).write(SQL, ORDER, new String[] {"1", "2", "3"});

        assertThatThrownBy(() -> new PageCursor(other).read(SQL, ORDER, cursor))
                .isInstanceOf(InvalidCursorException.class)
                .hasMessageContaining("signed with another key");
    }
}
