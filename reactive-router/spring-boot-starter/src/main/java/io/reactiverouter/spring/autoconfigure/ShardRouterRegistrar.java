package io.reactiverouter.spring.autoconfigure;

import io.reactiverouter.ShardCluster;
import io.reactiverouter.ShardRouter;
import io.reactiverouter.strategy.Keyspace;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.springframework.beans.factory.BeanFactory;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.beans.factory.support.AutowireCandidateQualifier;
import org.springframework.beans.factory.support.BeanDefinitionRegistry;
import org.springframework.beans.factory.support.BeanDefinitionRegistryPostProcessor;
import org.springframework.beans.factory.support.RootBeanDefinition;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.core.env.Environment;

/**
 * Registers a {@link ShardRouter} for each keyspace, whether the keyspace is configured by properties or is a bean. The
 * router of keyspace {@code trading} is the bean {@code tradingShardRouter} with the qualifier {@code trading}.
 */
final class ShardRouterRegistrar implements BeanDefinitionRegistryPostProcessor {

    private static final String ROUTER_SUFFIX = "ShardRouter";
    private static final String KEYSPACE_SUFFIX = "Keyspace";

    private final Environment environment;

    ShardRouterRegistrar(Environment environment) {
        this.environment = environment;
    }

    @Override
    public void postProcessBeanDefinitionRegistry(BeanDefinitionRegistry registry) {
        if (!(registry instanceof ListableBeanFactory beans)) {
            throw new IllegalStateException("routers need a registry that lists its beans, was " + registry);
        }
        Map<String, Supplier<Keyspace>> keyspaces = new LinkedHashMap<>();
        configured().forEach((name, value) -> keyspaces.put(name, () -> configured(name, value)));
        for (String bean : beans.getBeanNamesForType(Keyspace.class, true, false)) {
            String name = keyspaceName(bean);
            if (keyspaces.put(name, () -> named(name, bean, beans.getBean(bean, Keyspace.class))) != null) {
                throw new InvalidRouterConfigurationException(
                        ConfiguredKeyspaces.KEYSPACES + "." + name,
                        "keyspace " + name + " is defined twice: by properties or a bean, and by the bean '" + bean
                                + "'",
                        "Keep one of them.");
            }
        }
        keyspaces.forEach((name, keyspace) -> register(registry, beans, name, keyspace));
    }

    private Map<String, ReactiveRouterProperties.Keyspace> configured() {
        return Binder.get(environment)
                .bind(
                        ConfiguredKeyspaces.KEYSPACES,
                        Bindable.mapOf(String.class, ReactiveRouterProperties.Keyspace.class))
                .orElse(Map.of());
    }

    private Keyspace configured(String name, ReactiveRouterProperties.Keyspace value) {
        PinNames.requireAsWritten(
                environment,
                ConfiguredKeyspaces.KEYSPACES + "." + name + ".pins",
                value.pins().keySet());
        return ConfiguredKeyspaces.keyspace(name, value, SingleShard.of(environment.getProperty(SingleShard.PROPERTY)));
    }

    private static void register(
            BeanDefinitionRegistry registry, BeanFactory beans, String name, Supplier<Keyspace> keyspace) {
        String router = name + ROUTER_SUFFIX;
        if (registry.containsBeanDefinition(router)) {
            return;
        }
        RootBeanDefinition definition = new RootBeanDefinition(
                ShardRouter.class, () -> beans.getBean(ShardCluster.class).router(keyspace.get()));
        definition.addQualifier(new AutowireCandidateQualifier(Qualifier.class, name));
        definition.setDescription("routes calls of the keyspace " + name);
        registry.registerBeanDefinition(router, definition);
    }

    private static String keyspaceName(String bean) {
        boolean suffixed = bean.endsWith(KEYSPACE_SUFFIX) && bean.length() > KEYSPACE_SUFFIX.length();
        return suffixed ? bean.substring(0, bean.length() - KEYSPACE_SUFFIX.length()) : bean;
    }

    /** The name decides the qualifier of the router, which must be known before the bean is made. */
    private static Keyspace named(String name, String bean, Keyspace keyspace) {
        if (!keyspace.name().equals(name)) {
            throw new InvalidRouterConfigurationException(
                    "bean '" + bean + "'",
                    "it is the keyspace " + keyspace.name() + " under another name",
                    "Name the bean after its keyspace: '" + keyspace.name() + "' or '" + keyspace.name()
                            + KEYSPACE_SUFFIX + "'.");
        }
        return keyspace;
    }
}
