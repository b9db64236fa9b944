package io.reactiverouter.reliability;

import static net.bytebuddy.matcher.ElementMatchers.named;
import static net.bytebuddy.matcher.ElementMatchers.takesArguments;

import java.lang.instrument.Instrumentation;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import net.bytebuddy.ByteBuddy;
import net.bytebuddy.agent.ByteBuddyAgent;
import net.bytebuddy.agent.builder.AgentBuilder;
import net.bytebuddy.agent.builder.AgentBuilder.RedefinitionStrategy;
import net.bytebuddy.agent.builder.ResettableClassFileTransformer;
import net.bytebuddy.asm.Advice;
import net.bytebuddy.asm.Advice.AssignReturned;
import net.bytebuddy.dynamic.scaffold.TypeValidation;
import reactor.core.publisher.Mono;

/**
 * A mechanism of the library that does nothing for a while: its class file is changed in this JVM. Tests that
 * run at the same time would suffer too.
 */
final class SwitchedOff {

    private static final String PACKAGE = "io.reactiverouter.";

    /** What can be switched off. */
    enum Mechanism {
        /** Only what has provably not run is made again, and nothing twice: now all is that fails. */
        CLASSIFIER,

        /** A session that was changed is reset before somebody else has it. */
        SESSION_RESET,

        /** After an error or a cancel the server is stopped, and a transaction rolled back, before somebody else comes. */
        SETTLING,

        /** A call ends when the database has kept it waiting for too long. */
        TIME_LIMIT;

        private List<Change> changes() {
            return switch (this) {
                case CLASSIFIER ->
                    List.of(
                            new Change(Yes.class, new Method("failover.FailureKind", "isOfTheNode", 0)),
                            new Change(No.class, new Method("failover.FailoverExecutor$Execution", "begun", 0)));
                case SESSION_RESET ->
                    List.of(new Change(Nothing.class, new Method("connection.R2dbcNodePool", "reset", 1)));
                case SETTLING ->
                    List.of(new Change(Nothing.class, new Method("connection.R2dbcNodePool", "settle", 1)));
                case TIME_LIMIT ->
                    List.of(new Change(Skipped.class, new Method("connection.AnswerTimeout$Waiting", "run", 1)));
            };
        }
    }

    private record Method(String type, String name, int arguments) {}

    private record Change(Class<?> advice, Method method) {

        String type() {
            return PACKAGE + method.type();
        }

        void requireTarget() {
            try {
                Class<?> type = Class.forName(type(), false, SwitchedOff.class.getClassLoader());
                if (Arrays.stream(type.getDeclaredMethods())
                        .noneMatch(found -> found.getName().equals(method.name())
                                && found.getParameterCount() == method.arguments())) {
                    throw new IllegalStateException("there is no " + method + " any more; name what does its job now");
                }
            } catch (ClassNotFoundException e) {
                throw new IllegalStateException("there is no " + method + " any more; name what does its job now", e);
            }
        }
    }

    private final List<ResettableClassFileTransformer> transformers = new ArrayList<>();
    private final Instrumentation instrumentation = ByteBuddyAgent.install();

    private SwitchedOff(Mechanism mechanism) {
        requireTargets(mechanism);
        for (Change change : mechanism.changes()) {
            transformers.add(new AgentBuilder.Default(new ByteBuddy().with(TypeValidation.DISABLED))
                    .disableClassFormatChanges()
                    .with(RedefinitionStrategy.RETRANSFORMATION)
                    .with(AgentBuilder.Listener.StreamWriting.toSystemError().withErrorsOnly())
                    .type(named(change.type()))
                    .transform((builder, type, loader, module, domain) -> builder.visit(Advice.withCustomMapping()
                            .with(new AssignReturned.Factory())
                            .to(change.advice())
                            .on(named(change.method().name())
                                    .and(takesArguments(change.method().arguments())))))
                    .installOn(instrumentation));
        }
    }

    /** Fails if the library has no such method any more. */
    static void requireTargets(Mechanism mechanism) {
        mechanism.changes().forEach(Change::requireTarget);
    }

    /** Returns what {@code work} gives, without the mechanism. */
    static <T> T during(Mechanism mechanism, Supplier<T> work) {
        SwitchedOff off = new SwitchedOff(mechanism);
        try {
            return work.get();
        } finally {
            off.restore();
        }
    }

    private void restore() {
        transformers.forEach(transformer -> transformer.reset(instrumentation, RedefinitionStrategy.RETRANSFORMATION));
    }

    /** Answers so in place of what the method would say. */
    static final class Yes {

        private Yes() {}

        @Advice.OnMethodExit
        @AssignReturned.ToReturned
        static boolean exit() {
            return true;
        }
    }

    /** Answers so in place of what the method would say. */
    static final class No {

        private No() {}

        @Advice.OnMethodExit
        @AssignReturned.ToReturned
        @AssignReturned.AsScalar(skipOnDefaultValue = false)
        static boolean exit() {
            return false;
        }
    }

    /** Does nothing in place of what the method would do, which returns nothing. */
    static final class Skipped {

        private Skipped() {}

        @Advice.OnMethodEnter(skipOn = Advice.OnNonDefaultValue.class)
        static boolean enter() {
            return true;
        }
    }

    /** Does nothing in place of what the method would do. */
    static final class Nothing {

        private Nothing() {}

        @Advice.OnMethodEnter(skipOn = Advice.OnNonDefaultValue.class)
        static boolean enter() {
            return true;
        }

        @Advice.OnMethodExit
        @AssignReturned.ToReturned
        static Mono<Void> exit() {
            return Mono.empty();
        }
    }
}
