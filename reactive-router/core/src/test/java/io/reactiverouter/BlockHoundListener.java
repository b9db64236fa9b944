package io.reactiverouter;

import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestPlan;
import reactor.blockhound.BlockHound;

/**
 * From the first test on, a call that blocks an event loop fails. BlockHound's own listener installs it as soon as it is
 * loaded, and Maven loads listeners into its own JVM too, where it looks for the classes that it spreads over several.
 */
public final class BlockHoundListener implements TestExecutionListener {

    @Override
    public void testPlanExecutionStarted(TestPlan plan) {
        BlockHound.install();
    }
}
