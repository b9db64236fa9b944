package io.reactiverouter.schema;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The schema of one database: where it stands, and what a run has done to it.
 *
 * @param database name of the shard, or {@code main} for the database beside the shards
 * @param state how it ended
 * @param before version when the run looked at it, null if it had none or could not be asked
 * @param after version when the run was over, null if it has none or could not be asked
 * @param applied scripts that this run has applied
 * @param pending scripts that the database does not have
 * @param problem what is wrong, null if nothing is
 */
public record DatabaseVersion(
        String database,
        State state,
        @Nullable String before,
        @Nullable String after,
        List<String> applied,
        List<String> pending,
        @Nullable String problem) {

    /** How a database stands. */
    public enum State {
        /** It has all scripts and had them before. */
        UP_TO_DATE("up to date"),
        /** This run has applied what it lacked. */
        MIGRATED("migrated"),
        /** It lacks scripts; {@link DatabaseVersion#pending()} names them. */
        BEHIND("behind"),
        /** What it has is not what the scripts say: one has changed or is gone since, or has failed half-way. */
        DIFFERENT("different"),
        /** A script has failed, or the run was refused. */
        FAILED("failed"),
        /** It lacks scripts, and the run ended before its turn. */
        NOT_BEGUN("not begun"),
        /** No primary of it answers. */
        UNREACHABLE("unreachable");

        private final String words;

        State(String words) {
            this.words = words;
        }

        /** Says whether the database is as the scripts say. */
        public boolean isGood() {
            return this == UP_TO_DATE || this == MIGRATED;
        }

        @Override
        public String toString() {
            return words;
        }
    }

    public DatabaseVersion {
        applied = List.copyOf(applied);
        pending = List.copyOf(pending);
    }

    static DatabaseVersion unreachable(String database, String problem) {
        return new DatabaseVersion(database, State.UNREACHABLE, null, null, List.of(), List.of(), problem);
    }

    DatabaseVersion with(State newState) {
        return new DatabaseVersion(database, newState, before, after, applied, pending, problem);
    }

    /** Returns the version as people read it, as in {@code 2 -> 4}. */
    String versions() {
        if (state == State.UNREACHABLE) {
            return "?";
        }
        String from = before == null ? "none" : before;
        String to = after == null ? "none" : after;
        return from.equals(to) ? from : from + " -> " + to;
    }

    /** Returns what was done and what is left to do. */
    String work() {
        StringBuilder text = new StringBuilder();
        if (!applied.isEmpty()) {
            text.append("applied ").append(String.join(", ", applied));
        }
        if (!pending.isEmpty()) {
            text.append(text.isEmpty() ? "" : "; ").append("lacks ").append(String.join(", ", pending));
        }
        if (problem != null) {
            text.append(text.isEmpty() ? "" : "; ").append(problem);
        }
        return text.toString();
    }
}
