package io.reactiverouter.test;

/** The contract on processes of this machine. */
class NetworkIntegrationTests extends NetworkContract {

    NetworkIntegrationTests() {
        super(ServersUnderTest.EMBEDDED);
    }
}
