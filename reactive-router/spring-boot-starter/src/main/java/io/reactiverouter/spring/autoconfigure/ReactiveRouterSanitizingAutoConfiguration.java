package io.reactiverouter.spring.autoconfigure;

import java.util.Locale;
import java.util.regex.Pattern;
import org.springframework.boot.actuate.endpoint.SanitizableData;
import org.springframework.boot.actuate.endpoint.SanitizingFunction;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.context.annotation.Bean;

/**
 * Keeps passwords out of what Actuator shows of the environment and of properties, also where the application has it show values
 * ({@code management.endpoint.env.show-values}): URLs and passwords of shards, the key of cursors, placeholders of
 * migrations, and command lines and JSON
 * with any of them.
 */
@AutoConfiguration
@ConditionalOnClass(SanitizingFunction.class)
public final class ReactiveRouterSanitizingAutoConfiguration {

    /** What is left of a name in any of the forms of Spring Boot: variables of the environment have no dashes. */
    private static final Pattern OURS =
            Pattern.compile("reactiverouter.*(url|password|replicas\\d*|cursorkey|schemaplaceholders.*)");

    /** A value in which properties are, as in {@code sun.java.command} or {@code SPRING_APPLICATION_JSON}. */
    private static final Pattern MENTION = Pattern.compile("(?is).*reactive[-_]?router.*(://|password|cursor).*");

    /** A URL with a login, as in a variable of the environment that our properties refer to. */
    private static final Pattern LOGIN = Pattern.compile("(?is).*r2dbc:\\S*://[^\\s/@:]*:[^\\s@]+@.*");

    @Bean
    static SanitizingFunction reactiveRouterSanitizingFunction() {
        return data -> holdsSecret(data) ? data.withSanitizedValue() : data;
    }

    private static boolean holdsSecret(SanitizableData data) {
        String letters = data.getKey().toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]", "");
        return OURS.matcher(letters).matches()
                || (data.getValue() instanceof CharSequence text
                        && (MENTION.matcher(text).matches()
                                || LOGIN.matcher(text).matches()));
    }
}
