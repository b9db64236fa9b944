package io.reactiverouter.micrometer;

import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import java.util.ArrayList;
import java.util.List;

/** The tags of a meter with their values. */
final class Tagged {

    private Tagged() {}

    static Tags of(RouterMeter meter, String... values) {
        List<String> names = meter.tags();
        if (names.size() != values.length) {
            throw new IllegalArgumentException(meter + " has the tags " + names + ", not " + values.length);
        }
        List<Tag> tags = new ArrayList<>();
        for (int i = 0; i < values.length; i++) {
            tags.add(Tag.of(names.get(i), values[i]));
        }
        return Tags.of(tags);
    }
}
