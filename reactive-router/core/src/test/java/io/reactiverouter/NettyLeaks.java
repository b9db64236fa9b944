package io.reactiverouter;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.netty.buffer.ByteBufAllocator;
import io.netty.util.ResourceLeakDetector;
import org.jspecify.annotations.NullUnmarked;
import org.slf4j.LoggerFactory;

/** What Netty says about buffers that nobody has released. */
@NullUnmarked
final class NettyLeaks {

    private NettyLeaks() {}

    /** Work of a test. */
    @FunctionalInterface
    interface Work {

        void run() throws Exception;
    }

    /** Runs work under this level of detection, and fails if buffers were lost. */
    static void assertNone(ResourceLeakDetector.Level level, Work work) throws Exception {
        ResourceLeakDetector.Level before = ResourceLeakDetector.getLevel();
        ListAppender<ILoggingEvent> leaks = new ListAppender<>();
        Logger log = (Logger) LoggerFactory.getLogger(ResourceLeakDetector.class);
        leaks.start();
        log.addAppender(leaks);
        ResourceLeakDetector.setLevel(level);
        try {
            work.run();
            // A leak is found when the next buffer is made after the collection of one that was lost.
            for (int i = 0; i < 3; i++) {
                System.gc();
                Thread.sleep(30);
                ByteBufAllocator.DEFAULT.buffer().release();
            }
        } finally {
            ResourceLeakDetector.setLevel(before);
            log.detachAppender(leaks);
        }
        assertThat(leaks.list).extracting(ILoggingEvent::getFormattedMessage).isEmpty();
    }
}
