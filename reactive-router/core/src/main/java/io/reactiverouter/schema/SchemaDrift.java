package io.reactiverouter.schema;

import io.reactiverouter.schema.Structure.Thing;
import io.reactiverouter.topology.ShardId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * In what the databases of the shards differ.
 *
 * @param reference shard that the others are compared with: the first of those whose structure most shards have
 * @param shards those that were compared
 * @param differences by shard, then by object; empty if there are none
 */
public record SchemaDrift(ShardId reference, List<ShardId> shards, List<Difference> differences) {

    public SchemaDrift {
        shards = List.copyOf(shards);
        differences = List.copyOf(differences);
    }

    /**
     * One thing that a shard has otherwise than the reference.
     *
     * @param shard which
     * @param object what, as in {@code column public.orders.amount}
     * @param aspect what of it, as in {@code type}; null if it is missing or additional as a whole
     * @param actual what the shard has, null if it has nothing of the kind
     * @param expected what the reference has, null if it has nothing of the kind
     */
    public record Difference(
            ShardId shard,
            String object,
            @Nullable String aspect,
            @Nullable String actual,
            @Nullable String expected) {

        /** Returns it in words, without the shard. */
        String words(ShardId reference) {
            if (aspect == null) {
                return actual == null
                        ? object + " is missing; " + reference + " has: " + expected
                        : object + " is not on " + reference + ": " + actual;
            }
            return object + ": " + aspect + " is " + shown(actual) + ", on " + reference + " " + shown(expected);
        }

        private static String shown(@Nullable String value) {
            return value == null ? "none" : value;
        }
    }

    /** Says whether all shards have the same structure. */
    public boolean isEmpty() {
        return differences.isEmpty();
    }

    static SchemaDrift between(Map<ShardId, Structure> structures) {
        ShardId reference = mostCommon(structures);
        Structure expected = Objects.requireNonNull(structures.get(reference));
        List<Difference> differences = new ArrayList<>();
        structures.forEach((shard, actual) -> compare(shard, actual, expected, differences));
        return new SchemaDrift(reference, List.copyOf(structures.keySet()), differences);
    }

    private static ShardId mostCommon(Map<ShardId, Structure> structures) {
        Map<Structure, List<ShardId>> same = structures.keySet().stream()
                .collect(Collectors.groupingBy(
                        shard -> Objects.requireNonNull(structures.get(shard)),
                        LinkedHashMap::new,
                        Collectors.toList()));
        List<ShardId> most = List.of();
        for (List<ShardId> shards : same.values()) {
            if (shards.size() > most.size()) {
                most = shards;
            }
        }
        return most.get(0);
    }

    private static void compare(ShardId shard, Structure actual, Structure expected, List<Difference> differences) {
        Set<String> objects = new TreeSet<>(actual.things().keySet());
        objects.addAll(expected.things().keySet());
        for (String object : objects) {
            Thing has = actual.thing(object);
            Thing should = expected.thing(object);
            if (has == null && should != null) {
                if (isThere(should.parent(), actual)) {
                    differences.add(new Difference(shard, object, null, null, should.words()));
                }
            } else if (has != null && should == null) {
                if (isThere(has.parent(), expected)) {
                    differences.add(new Difference(shard, object, null, has.words(), null));
                }
            } else if (has != null && should != null) {
                compare(shard, object, has.aspects(), should.aspects(), differences);
            }
        }
    }

    /** What belongs to a table that is missing as a whole is not worth a line of its own. */
    private static boolean isThere(@Nullable String parent, Structure structure) {
        return parent == null || structure.thing(parent) != null;
    }

    private static void compare(
            ShardId shard,
            String object,
            Map<String, String> actual,
            Map<String, String> expected,
            List<Difference> differences) {
        Set<String> aspects = new LinkedHashSet<>(expected.keySet());
        aspects.addAll(actual.keySet());
        for (String aspect : aspects) {
            if (!Objects.equals(actual.get(aspect), expected.get(aspect))) {
                differences.add(new Difference(shard, object, aspect, actual.get(aspect), expected.get(aspect)));
            }
        }
    }

    /** Returns a line for each difference. */
    @Override
    public String toString() {
        if (isEmpty()) {
            return "all shards have the same structure: " + shards;
        }
        return differences.stream()
                .map(difference -> difference.shard() + ": " + difference.words(reference))
                .collect(Collectors.joining("\n"));
    }
}
