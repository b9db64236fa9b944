package io.reactiverouter.demo.console;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.jspecify.annotations.NullUnmarked;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;
import org.openqa.selenium.OutputType;
import org.openqa.selenium.StaleElementReferenceException;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.interactions.Actions;
import org.openqa.selenium.logging.LogEntry;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;
import org.openqa.selenium.support.ui.WebDriverWait;

/** Chromium without a window, of this machine; nothing is downloaded. */
@NullUnmarked
final class Browser implements AutoCloseable {

    private static final Duration POLL = Duration.ofMillis(50);
    private static final Duration LIMIT = Duration.ofSeconds(20);

    /** Warns that it does not know all about this version, which is not needed here. */
    private static final Logger SELENIUM = Logger.getLogger("org.openqa.selenium");

    private final ChromeDriver driver;

    Browser() {
        SELENIUM.setLevel(Level.SEVERE);
        ChromeOptions options = new ChromeOptions();
        options.setBinary(found("chromium").orElseThrow());
        options.addArguments(
                "--headless=new",
                // Refused to root, as whom containers run this.
                "--no-sandbox",
                "--disable-dev-shm-usage",
                "--disable-gpu",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--force-color-profile=srgb",
                "--lang=en");
        LoggingPreferences logs = new LoggingPreferences();
        logs.enable(LogType.BROWSER, Level.ALL);
        options.setCapability("goog:loggingPrefs", logs);
        driver = new ChromeDriver(
                new ChromeDriverService.Builder()
                        .usingDriverExecutable(found("chromedriver").orElseThrow())
                        .usingAnyFreePort()
                        .build(),
                options);
        driver.manage().timeouts().scriptTimeout(LIMIT).pageLoadTimeout(LIMIT);
    }

    /** Says whether there is one: Debian's packages chromium and chromium-driver. */
    static boolean isInstalled() {
        return found("chromium").isPresent() && found("chromedriver").isPresent();
    }

    private static Optional<File> found(String name) {
        return Stream.concat(
                        Stream.of("/usr/bin"),
                        Stream.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator)))
                .map(directory -> new File(directory, name))
                .filter(File::canExecute)
                .findFirst();
    }

    void open(String address) {
        driver.get(address);
    }

    /** Makes the page so large, in the pixels of style sheets. */
    void size(int width, int height) {
        driver.executeCdpCommand(
                "Emulation.setDeviceMetricsOverride",
                Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", width < 600));
    }

    /** Says what the system of the reader prefers. */
    void prefers(String colours) {
        driver.executeCdpCommand(
                "Emulation.setEmulatedMedia",
                Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", colours))));
    }

    WebElement element(String selector) {
        return driver.findElement(By.cssSelector(selector));
    }

    List<String> texts(String selector) {
        return ((List<?>) run(
                        "return [...document.querySelectorAll(arguments[0])].map(each => each.innerText.trim())",
                        selector))
                .stream().map(String::valueOf).toList();
    }

    Object run(String script, Object... arguments) {
        return driver.executeScript(script, arguments);
    }

    /** Runs a script whose last argument is to be called when it is done. */
    Object runAsync(String script, Object... arguments) {
        return driver.executeAsyncScript(script, arguments);
    }

    void press(CharSequence... keys) {
        new Actions(driver).sendKeys(keys).perform();
    }

    /** Goes on with the Tab key until the element with this id has the focus. */
    void tabTo(String id) {
        for (int i = 0; i < 40 && !id.equals(focused()); i++) {
            press(Keys.TAB);
        }
        assertThat(focused()).isEqualTo(id);
    }

    String focused() {
        return (String) run("return document.activeElement.id");
    }

    void await(String what, BooleanSupplier condition) {
        await(what, LIMIT, condition);
    }

    void await(String what, Duration limit, BooleanSupplier condition) {
        new WebDriverWait(driver, limit, POLL)
                .ignoring(StaleElementReferenceException.class)
                .withMessage(() -> what + "; the page says: " + element("body").getText())
                .until(any -> condition.getAsBoolean());
    }

    /** Returns what the page has complained about since the last call, breaches of its policy included. */
    List<String> errors() {
        return driver.manage().logs().get(LogType.BROWSER).getAll().stream()
                .filter(entry -> entry.getLevel().intValue() >= Level.SEVERE.intValue())
                .map(LogEntry::getMessage)
                .toList();
    }

    /** Writes a picture to {@code target/screenshots}, and to the directory of {@code -Dconsole.screenshots} if there is one. */
    void picture(String name) throws IOException {
        byte[] png = driver.getScreenshotAs(OutputType.BYTES);
        String also = System.getProperty("console.screenshots");
        for (Path directory : also == null
                ? List.of(Path.of("target", "screenshots"))
                : List.of(Path.of("target", "screenshots"), Path.of(also))) {
            Files.createDirectories(directory);
            Files.write(directory.resolve(name + ".png"), png);
        }
    }

    @Override
    public void close() {
        driver.quit();
    }
}
