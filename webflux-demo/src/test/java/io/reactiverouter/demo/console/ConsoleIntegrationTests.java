package io.reactiverouter.demo.console;

import static org.assertj.core.api.Assertions.assertThat;

import io.reactiverouter.ShardCluster;
import io.reactiverouter.ShardRouter;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.test.EmbeddedShards;
import io.reactiverouter.test.ShardNode;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.test.annotation.DirtiesContext;

/** The console in a browser, over the servers that the demo brings along. Makes the pictures of the README. */
@SpringBootTest(
        webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT,
        properties = {
            "demo.replicas=1",
            "demo.load.users=3000",
            "demo.load.orders=30000",
            "demo.console.row-sampling=1h",
            "reactive-router.health.interval=2s"
        })
@EnabledIf(
        value = "io.reactiverouter.demo.console.Browser#isInstalled",
        disabledReason = "there is no browser: install Debian's packages chromium and chromium-driver")
@DirtiesContext
@Tag("undisturbed")
@NullUnmarked
class ConsoleIntegrationTests {

    /** Probes of a node are so far apart, give or take a tenth. */
    private static final Duration HEALTH_INTERVAL = Duration.ofSeconds(2);

    /** A tenth of the interval, the console's own of a second, a probe, and the browser on a machine that is busy. */
    private static final Duration SLACK = Duration.ofMillis(2_500);

    private static final Pattern RGB = Pattern.compile("[\\d.]+");
    private static final String HOSTILE = "<img src=x onerror='window.hacked=1'><script>window.hacked=1</script>";

    private static Browser browser;
    private static boolean analyzed;

    private final EmbeddedShards shards;
    private final ShardCluster cluster;
    private final ShardRouter router;

    @LocalServerPort
    private int port;

    @Autowired
    ConsoleIntegrationTests(EmbeddedShards shards, ShardCluster cluster, ShardRouter router) {
        this.shards = shards;
        this.cluster = cluster;
        this.router = router;
    }

    @BeforeAll
    static void startBrowser() {
        browser = new Browser();
    }

    @AfterAll
    static void endBrowser() {
        browser.close();
    }

    /** The first page then has rows to show; no later call finds out before a probe does that a server is gone. */
    @BeforeEach
    void open() {
        if (!analyzed) {
            shards.nodes().forEach(node -> node.execute("analyze"));
            analyzed = true;
        }
        browser.size(1280, 1000);
        browser.prefers("light");
        browser.open("http://127.0.0.1:" + port + "/");
        browser.await("all shards are healthy", () -> healths().equals(List.of("up", "up", "up")));
    }

    @AfterEach
    void pageHasNothingToComplainAbout() {
        assertThat(browser.errors()).as("console of the browser").isEmpty();
    }

    @Test
    void everyShardHasACardWithItsNodesAndFigures() throws IOException {
        assertThat(browser.texts(".card h3")).containsExactly("s0", "s1", "s2");
        assertThat(browser.texts(".card > header .state")).containsOnly("healthy");

        browser.element("#traffic").click();
        browser.await(
                "every card has figures",
                () -> browser.texts(".figures dd").stream().noneMatch(text -> text.equals("–") || text.equals("0.0")));
        for (int shard = 0; shard < 3; shard++) {
            List<String> nodes = browser.texts(".card:nth-child(" + (shard + 1) + ") .nodes li");
            assertThat(nodes).hasSize(2);
            assertThat(nodes.get(0))
                    .contains("primary 127.0.0.1:" + shards.node(shard).port(), "healthy", "of 16 in use")
                    .doesNotContain("lag");
            assertThat(nodes.get(1))
                    .contains("replica 127.0.0.1:"
                            + shards.server(shard, 1).node().port())
                    .containsPattern("lag [\\d.]+\\hm?s \\([\\d\\h]+ bytes\\)");
        }
        browser.await("calls are listed", () -> browser.texts("#calls tbody tr").size() >= 10);
        assertThat(browser.texts("#calls tbody tr")).anyMatch(row -> row.contains("query of trading"));
        explain();
        draw();
        browser.run("window.scrollTo(0, 0)");
        browser.picture("console-light");
        browser.element("#traffic").click();
    }

    @Test
    void killedShardTurnsRedWithinTheHealthIntervalAndGreenAgain() throws IOException {
        long start = System.nanoTime();
        try {
            shards.server(1).kill();
            browser.await(
                    "s1 is red", HEALTH_INTERVAL.plus(SLACK), () -> healths().equals(List.of("up", "down", "up")));
            long red = System.nanoTime() - start;
            assertThat(browser.element(".card[data-health=down] .state").getText())
                    .isEqualTo("down");
            assertThat(browser.element(".card[data-health=down] .reason").getText())
                    .startsWith("the primary has not answered the last ");
            assertThat(browser.element(".card[data-health=down] .error").getText())
                    .isNotBlank();
            assertThat(browser.element("#announcements").getAttribute("textContent"))
                    .isEqualTo("Shard s1 is down.");
            double[] colour =
                    rgb(browser.element(".card[data-health=down] .state").getCssValue("color"));
            assertThat(colour[0]).as("red").isGreaterThan(2 * Math.max(colour[1], colour[2]));
            browser.picture("console-red");
            System.out.println("red after " + Duration.ofNanos(red).toMillis() + " ms, probes every "
                    + HEALTH_INTERVAL.toMillis() + " ms");
        } finally {
            shards.server(1).start();
        }
        long started = System.nanoTime();
        browser.await(
                "s1 is green", HEALTH_INTERVAL.plus(SLACK), () -> healths().equals(List.of("up", "up", "up")));
        System.out.println(
                "green after " + Duration.ofNanos(System.nanoTime() - started).toMillis() + " ms");
    }

    @Test
    void keyIsExplainedAsTheServersHaveIt() {
        WebElement key = browser.element("#key");
        key.clear();
        key.sendKeys("42", Keys.ENTER);
        browser.await("the key is explained", () -> !browser.texts("#key-shard").isEmpty());

        long token = shards.node(0).number("select hashint8extended(42, 0)");
        String shard = router.route(ShardKey.of(42)).shard().value();
        assertThat(browser.element("#key-shard").getText()).isEqualTo(shard);
        assertThat(browser.texts("#key-answer .why li"))
                .hasSize(3)
                .satisfies(why -> assertThat(why.get(0)).contains(Long.toString(token)))
                .satisfies(why -> assertThat(why.get(1)).contains("slot " + (token >>> 50) + "."))
                .satisfies(why -> assertThat(why.get(2)).endsWith("belong to shard " + shard + "."));
        for (ShardNode node : shards.nodes()) {
            assertThat(node.number("select count(*) from users where user_id = 42"))
                    .as("user 42 on %s", node.name())
                    .isEqualTo(node.name().equals(shard) ? 1 : 0);
        }
        assertThat(browser.texts("#key-answer .nodes li")).hasSize(2).allMatch(node -> node.endsWith("healthy"));
        double slot = number("return document.querySelector('.mark').getBBox().x");
        assertThat((long) slot).isEqualTo(token >>> 50);
    }

    @Test
    void slotBarCoversAllSlots() {
        browser.await("the bar is there", () -> !browser.texts("#legend li").isEmpty());

        assertThat(
                        number(
                                "return [...document.querySelectorAll('#slots rect')]"
                                        + ".reduce((next, rect) => rect.x.baseVal.value === next ? next + rect.width.baseVal.value : -1, 0)"))
                .isEqualTo(16_384);
        assertThat(number("const bar = document.querySelector('#slots').getBoundingClientRect().width;"
                        + "return [...document.querySelectorAll('#slots rect')]"
                        + ".reduce((sum, rect) => sum + rect.getBoundingClientRect().width, 0) / bar"))
                .isBetween(0.999, 1.001);
        assertThat(browser.texts("#legend li"))
                .hasSize(3)
                .allMatch(each -> each.matches("s[0-2]: 5.46[12] slots, 33.3. %"));
        assertThat(number("return new Set([...document.querySelectorAll('#slots rect')]"
                        + ".map(rect => getComputedStyle(rect).fill)).size"))
                .as("colours")
                .isEqualTo(3);
    }

    @Test
    void streamIsStartedAndCancelledWithTheKeyboard() {
        browser.element("#symbol").click();
        browser.tabTo("stream-button");
        browser.press(Keys.ENTER);
        browser.await(
                "rows of every shard",
                () -> browser.texts("#stream-counters li").size() == 3);
        assertThat(acquired()).as("connections of the stream").isPositive();
        assertThat(browser.texts("#stream-rows tbody tr")).hasSizeBetween(1, 10);
        assertThat(browser.texts("#stream-counters li"))
                .allMatch(text -> text.matches("s[0-2]: [\\d\\h]+ rows, first after .*s"));

        assertThat(browser.focused()).isEqualTo("stream-button");
        browser.press(Keys.ENTER);
        browser.await(
                "the page says that it has cancelled",
                () -> browser.element("#stream-status").getText().startsWith("Cancelled: "));
        browser.await("the servers have stopped", Duration.ofSeconds(10), () -> acquired() == 0);
        assertThat(browser.element("#stream-button").getText()).isEqualTo("Start");
    }

    @Test
    void streamThatIsReadToItsEndIsWhole() {
        browser.element("#symbol").sendKeys("FLUX");
        browser.run("document.querySelector('#pace').value = ''");
        browser.element("#stream-button").click();
        browser.await(
                "the stream has ended",
                () -> browser.element("#stream-status").getText().startsWith("Complete: "));

        long expected = shards.nodes().stream()
                .mapToLong(node -> node.number("select count(*) from orders where symbol = 'FLUX'"))
                .sum();
        assertThat(browser.element("#stream-status").getText().replaceAll("\\h(?=\\d{3})", ""))
                .startsWith("Complete: " + expected + " orders of 3 shards");
    }

    @Test
    void distributionOfEveryStrategyIsDrawn() {
        draw();

        assertThat(number("return Chart.getChart('distribution').data.datasets.length"))
                .isEqualTo(4);
        assertThat(number("const canvas = document.querySelector('#distribution');"
                        + "const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;"
                        + "const colours = new Set();"
                        + "for (let i = 0; i < pixels.length; i += 4) if (pixels[i + 3] === 255)"
                        + " colours.add(pixels[i] << 16 | pixels[i + 1] << 8 | pixels[i + 2]);"
                        + "return colours.size"))
                .as("colours in the picture")
                .isGreaterThanOrEqualTo(4);
        assertThat(browser.texts("#distribution-table tbody tr")).hasSize(3);
        assertThat(browser.element("#distribution").getAttribute("aria-label"))
                .contains("hash-slots: s0 ", "consistent-hash: s0 ");
    }

    @Test
    void whateverTheServerSaysIsShownAsText() {
        Object shown = browser.runAsync(
                "const [text, done] = arguments;"
                        + "const pool = {max: 1, acquired: 0, idle: 0, pending: 0};"
                        + "const call = {number: 1e9, at: new Date(), keyspace: text, kind: text, operation: text,"
                        + " outcome: text, shards: [text], millis: 1, error: text, sqlState: text, sql: text};"
                        + "import('/console/console.js').then(page => {"
                        + " page.show({epoch: 1, keyspace: text, calls: [call], failures: [call], shards: [{shard: text,"
                        + " health: text, reason: text, qps: 1, p50Millis: 1, p99Millis: 1, rows: 1, nodes: [{endpoint:"
                        + " text, role: text, writes: true, health: text, reason: text, lagMillis: 1, lagBytes: 1,"
                        + " latencyMillis: 1, lastError: text, errorRate: 1, pool}]}]});"
                        + " done([document.querySelectorAll('main img, main script').length,"
                        + " document.querySelector('.card h3').textContent,"
                        + " document.querySelector('.card .error').textContent,"
                        + " document.querySelector('#failures tbody').textContent]);"
                        + "}, error => done([String(error)]));",
                HOSTILE);

        assertThat((List<?>) shown).hasSize(4);
        assertThat((List<?>) shown).element(0).isEqualTo(0L);
        assertThat((List<?>) shown).element(1).isEqualTo(HOSTILE);
        assertThat((List<?>) shown).element(2).isEqualTo(HOSTILE);
        assertThat(((List<?>) shown).get(3).toString()).contains(HOSTILE);
        browser.await("the real shards are back", () -> healths().equals(List.of("up", "up", "up")));
        assertThat(browser.run("return window.hacked ?? null")).isNull();
    }

    @Test
    void keyThatIsNoneIsShownAsTextWithTheRemedy() {
        WebElement key = browser.element("#key");
        key.clear();
        key.sendKeys(HOSTILE.substring(0, 38), Keys.ENTER);
        browser.await(
                "the problem is shown",
                () -> !browser.texts("#key-answer .problem").isEmpty());

        assertThat(browser.element("#key-answer .problem").getText())
                .contains("key must be a whole number of 64 bits, as 42", HOSTILE.substring(0, 38));
        assertThat(number("return document.querySelectorAll('main img').length"))
                .isZero();
        assertThat(browser.errors()).hasSize(1).allMatch(error -> error.contains("status of 400"));
    }

    @Test
    void everythingIsReachedWithTheTabKeyAndShowsTheFocus() {
        Set<String> reached = new LinkedHashSet<>();
        List<String> unmarked = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            browser.press(Keys.TAB);
            String id = browser.focused();
            reached.add(id);
            if (!id.isEmpty()
                    && browser.run("return getComputedStyle(document.activeElement).outlineStyle")
                            .equals("none")) {
                unmarked.add(id);
            }
        }
        assertThat(reached)
                .contains(
                        "theme",
                        "traffic",
                        "key",
                        "strategy",
                        "count",
                        "sample",
                        "symbol",
                        "pace",
                        "stream-button",
                        "calls",
                        "failures");
        assertThat(unmarked).as("focused, and not seen to be").isEmpty();
    }

    @Test
    void phoneNeedsNoScrollingSideways() throws IOException {
        browser.size(390, 844);
        draw();
        browser.element("#stream-button").click();
        browser.await(
                "rows of every shard",
                () -> browser.texts("#stream-counters li").size() == 3);
        browser.element("#stream-button").click();
        browser.await("the servers have stopped", Duration.ofSeconds(10), () -> acquired() == 0);
        explain();

        assertThat(number("return document.documentElement.scrollWidth")).isLessThanOrEqualTo(390);
        assertThat((List<?>) browser.run("return [...document.querySelectorAll('body *')]"
                        + ".filter(each => !each.closest('.scroll > *, .unseen, .skip')"
                        + " && each.getBoundingClientRect().right > 390).map(each => each.outerHTML.slice(0, 80))"))
                .as("what is wider than the page")
                .isEmpty();
        browser.run("window.scrollTo(0, 0)");
        browser.picture("console-phone");
    }

    @Test
    void darkAndLightAreReadable() throws IOException {
        assertThat(luminance(background())).as("light").isGreaterThan(0.7);
        assertContrast();
        browser.prefers("dark");
        assertThat(luminance(background())).as("dark, as the system says").isLessThan(0.1);
        assertContrast();
        draw();
        browser.element("#stream-button").click();
        browser.await(
                "rows of every shard",
                () -> browser.texts("#stream-counters li").size() == 3);
        browser.element("#stream-button").click();
        browser.await("the servers have stopped", Duration.ofSeconds(10), () -> acquired() == 0);
        explain();
        browser.run("document.querySelector('#key-title').scrollIntoView()");
        browser.picture("console-dark");

        browser.element("#theme").click();
        assertThat(browser.element("#theme").getText()).isEqualTo("Theme: light");
        assertThat(luminance(background())).as("light, as the reader says").isGreaterThan(0.7);
        browser.prefers("light");
        browser.element("#theme").click();
        assertThat(luminance(background())).as("dark, as the reader says").isLessThan(0.1);
        browser.element("#theme").click();
        assertThat(browser.element("#theme").getText()).isEqualTo("Theme: auto");
    }

    private void explain() {
        browser.element("#key-form button").click();
        browser.await("the key is explained", () -> !browser.texts("#key-shard").isEmpty());
    }

    private void draw() {
        browser.element("#distribution-form button").click();
        browser.await(
                "the distribution is there",
                () -> browser.element("#distribution-status").getText().contains("users on 3 shards"));
    }

    private List<Object> healths() {
        return new ArrayList<>((List<?>)
                browser.run("return [...document.querySelectorAll('.card')].map(card => card.dataset.health)"));
    }

    private int acquired() {
        return cluster.status().shards().stream()
                .flatMap(shard -> shard.nodes().stream())
                .mapToInt(node -> node.connections().acquired())
                .sum();
    }

    private static double number(String script) {
        return ((Number) browser.run(script)).doubleValue();
    }

    private static String background() {
        return browser.element("body").getCssValue("background-color");
    }

    /** The ratio that WCAG 2 asks for at level AA, of texts on what is behind them. */
    private static void assertContrast() {
        Map<String, String> texts = Map.of(
                "h1", "body",
                ".note", "section",
                ".card .state", "section",
                ".card dt", "section",
                "nav a", "body",
                "#traffic", "section");
        texts.forEach((text, behind) -> {
            double first = luminance(browser.element(text).getCssValue("color"));
            double second = luminance(browser.element(behind).getCssValue("background-color"));
            assertThat((Math.max(first, second) + 0.05) / (Math.min(first, second) + 0.05))
                    .as("contrast of %s", text)
                    .isGreaterThanOrEqualTo(4.5);
        });
    }

    private static double luminance(String colour) {
        double[] linear = rgb(colour);
        for (int i = 0; i < 3; i++) {
            double part = linear[i] / 255;
            linear[i] = part <= 0.04045 ? part / 12.92 : Math.pow((part + 0.055) / 1.055, 2.4);
        }
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
    }

    private static double[] rgb(String colour) {
        return RGB.matcher(colour)
                .results()
                .map(MatchResult::group)
                .mapToDouble(Double::parseDouble)
                .toArray();
    }
}
