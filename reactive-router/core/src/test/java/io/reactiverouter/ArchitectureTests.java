package io.reactiverouter;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaCall;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaPackage;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Holds the directions between the packages of core. */
class ArchitectureTests {

    private static final String ROOT = "io.reactiverouter";
    private static final List<String> JDK = List.of("java..", "org.jspecify.annotations..");

    /** Package to the packages of ours that it may use; the facade may use all, and nobody uses it. */
    private static final Map<String, List<String>> MAY_USE = Map.ofEntries(
            entry("topology", List.of()),
            entry("strategy", List.of("topology")),
            entry("routing", List.of("topology", "strategy")),
            entry("observation", List.of("topology", "stream")),
            entry("order", List.of()),
            entry("stream", List.of()),
            entry("aggregate", List.of("order", "stream")),
            entry("connection", List.of("topology", "observation", "order", "stream")),
            entry(
                    "scatter",
                    List.of("topology", "routing", "connection", "observation", "order", "stream", "aggregate")),
            entry("audit", List.of("topology", "strategy", "routing", "connection", "stream")),
            entry("health", List.of("topology", "routing", "connection", "observation")),
            entry("failover", List.of("topology", "routing", "connection", "observation", "stream")),
            entry("micrometer", List.of("topology", "connection", "health", "observation", "stream")),
            entry("schema", List.of("topology", "connection")));

    private static final JavaClasses CORE = new ClassFileImporter()
            .importUrl(ShardCluster.class.getProtectionDomain().getCodeSource().getLocation());

    @ParameterizedTest
    @ValueSource(
            strings = {
                "topology",
                "strategy",
                "routing",
                "observation",
                "order",
                "stream",
                "aggregate",
                "connection",
                "scatter",
                "audit",
                "health",
                "failover",
                "micrometer",
                "schema"
            })
    void packageUsesOnlyWhatTheTableAllows(String name) {
        List<String> allowed = new ArrayList<>(MAY_USE.getOrDefault(name, List.of()));
        allowed.add(name);
        String[] forbidden = CORE.getPackage(ROOT).getSubpackages().stream()
                .map(JavaPackage::getName)
                .filter(other -> !allowed.contains(other.substring(ROOT.length() + 1)))
                .toArray(String[]::new);
        noClasses()
                .that()
                .resideInAPackage(ROOT + "." + name)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(append(forbidden, ROOT))
                .allowEmptyShould(false)
                .check(CORE);
    }

    @Test
    void everyPackageIsInTheTable() {
        assertThat(CORE.getPackage(ROOT).getSubpackages())
                .extracting(found -> found.getName().substring(ROOT.length() + 1))
                .containsExactlyInAnyOrderElementsOf(MAY_USE.keySet());
    }

    @Test
    void readmeSaysTheSame() throws IOException {
        Pattern row = Pattern.compile("^\\| `\\.(\\w+)` \\|.*\\|([^|]*)\\|$", Pattern.MULTILINE);
        Map<String, List<String>> said = new HashMap<>();
        Matcher rows = row.matcher(Files.readString(Path.of("../../README.md")));
        while (rows.find()) {
            said.put(
                    rows.group(1),
                    Pattern.compile("`(\\w+)`")
                            .matcher(rows.group(2))
                            .results()
                            .map(name -> name.group(1))
                            .toList());
        }
        assertThat(said).isEqualTo(MAY_USE);
    }

    @ParameterizedTest
    @ValueSource(strings = {"topology", "strategy"})
    void valuesNeedNothingButTheJdk(String name) {
        classes()
                .that()
                .resideInAPackage(ROOT + "." + name)
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(append(JDK.toArray(String[]::new), ROOT + ".."))
                .check(CORE);
    }

    @Test
    void thereAreNoCycles() {
        slices().matching(ROOT + ".(*)..").should().beFreeOfCycles().check(CORE);
    }

    @Test
    void onlyOnePackageKnowsMicrometerAndNoneKnowsSpring() {
        noClasses()
                .should()
                .dependOnClassesThat()
                .resideInAPackage("org.springframework..")
                .check(CORE);
        noClasses()
                .that()
                .resideOutsideOfPackage(ROOT + ".micrometer")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.micrometer..", ROOT + ".micrometer")
                .check(CORE);
    }

    /** The application need not bring them. */
    @Test
    void onlyTheSchemaNeedsFlywayAndJdbc() {
        noClasses()
                .that()
                .resideOutsideOfPackage(ROOT + ".schema")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("org.flywaydb..", "org.postgresql..", "java.sql..", "javax.sql..")
                .check(CORE);
        noClasses()
                .that()
                .resideOutsideOfPackage(ROOT + ".schema")
                .should()
                .dependOnClassesThat()
                .resideInAPackage(ROOT + ".schema")
                .check(CORE);
    }

    @Test
    void nothingIsHiddenInPackagesOfNoMeaning() {
        noClasses()
                .should()
                .resideInAnyPackage("..impl..", "..internal..", "..util..", "..utils..")
                .check(CORE);
    }

    @Test
    void nothingIsConcatenatedAsAnArray() {
        noClasses()
                .should()
                .callMethodWhere(describe("it concatenates an array", ArchitectureTests::concatenatesAnArray))
                .because(
                        "reactor-core 3.8.6 can lose a request that comes while such a stream goes on from one source to the"
                                + " next; Flux.concat(Iterable) loses none")
                .check(CORE);
    }

    /** What works on a connection may lose a cancel: the connection is settled all the same. */
    @Test
    void nothingBetweenSubscriberAndConnectionCanLoseACancel() {
        noClasses()
                .that()
                .resideInAPackage(ROOT + ".scatter")
                .or()
                .haveFullyQualifiedName(ROOT + ".DefaultScatterOperations")
                .or()
                .haveFullyQualifiedName(ROOT + ".connection.PooledExecutor")
                .or()
                .haveFullyQualifiedName(ROOT + ".connection.ListeningExecutor")
                .should()
                .callMethodWhere(describe("it can lose a cancel", ArchitectureTests::canLoseACancel))
                .because("a lost cancel leaves a connection behind; see package stream")
                .check(CORE);
    }

    private static boolean canLoseACancel(JavaCall<?> call) {
        if (!call.getTargetOwner().getPackageName().equals("reactor.core.publisher")) {
            return false;
        }
        boolean isMono = call.getTargetOwner().getSimpleName().equals("Mono");
        return (isMono && call.getName().equals("flatMap"))
                || Stream.of("concat", "onError", "switch", "default", "retry", "repeat", "thenMany", "timeout")
                        .anyMatch(start -> call.getName().startsWith(start)
                                && !call.getName().equals("onErrorStop"));
    }

    private static boolean concatenatesAnArray(JavaCall<?> call) {
        if (!call.getTargetOwner().getPackageName().equals("reactor.core.publisher")) {
            return false;
        }
        return Set.of("concatWith", "concatWithValues", "startWith", "thenMany").contains(call.getName())
                || (call.getName().startsWith("concat")
                        && call.getTarget().getRawParameterTypes().get(0).isArray());
    }

    private static String[] append(String[] packages, String more) {
        List<String> all = new ArrayList<>(List.of(packages));
        all.add(more);
        return all.toArray(String[]::new);
    }
}
