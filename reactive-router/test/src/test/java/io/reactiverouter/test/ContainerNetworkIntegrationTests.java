package io.reactiverouter.test;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;

/** The contract on containers, where there is Docker. */
@EnabledIf(
        value = "io.reactiverouter.test.ContainerShards#dockerAvailable",
        disabledReason = "no Docker engine answers")
@Timeout(value = 5, unit = TimeUnit.MINUTES) // the first run fetches the image
class ContainerNetworkIntegrationTests extends NetworkContract {

    ContainerNetworkIntegrationTests() {
        super(ServersUnderTest.CONTAINERS);
    }
}
