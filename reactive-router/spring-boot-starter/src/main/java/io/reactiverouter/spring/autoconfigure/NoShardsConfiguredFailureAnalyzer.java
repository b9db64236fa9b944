package io.reactiverouter.spring.autoconfigure;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/** Shows how to configure a first shard. */
final class NoShardsConfiguredFailureAnalyzer extends AbstractFailureAnalyzer<NoShardsConfiguredException> {

    private static final String ACTION = """
            Name at least one shard, for example in application.yaml:

                reactive-router:
                  shards:
                    s0:
                      url: r2dbc:postgresql://app@localhost:5432/app
                      password: ${S0_PASSWORD}
                  keyspaces:
                    trading:
                      key: user_id

            or define a bean of type ShardsConnectionDetails or ShardCluster. If the properties are there, check that \
            their file or profile is active.""";

    @Override
    protected FailureAnalysis analyze(Throwable rootFailure, NoShardsConfiguredException cause) {
        return new FailureAnalysis(
                "The cluster has no shards: no property is set under 'reactive-router.shards'.", ACTION, cause);
    }
}
