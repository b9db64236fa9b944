package io.reactiverouter.demo.trading;

import static org.assertj.core.api.Assertions.assertThat;

import io.reactiverouter.test.ShardNode;
import io.reactiverouter.test.ShardsExtension;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.webtestclient.autoconfigure.AutoConfigureWebTestClient;
import org.springframework.http.MediaType;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import org.springframework.test.web.reactive.server.WebTestClient;

/** Orders of all shards, page by page. */
@SpringBootTest(
        webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT,
        properties = {"demo.load.users=200", "demo.load.orders=2000"})
@AutoConfigureWebTestClient(timeout = "PT20S")
@NullUnmarked
class OrderPageIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(3);

    @Autowired
    private WebTestClient web;

    @DynamicPropertySource
    static void shards(DynamicPropertyRegistry registry) {
        for (ShardNode node : SHARDS.nodes()) {
            registry.add("reactive-router.shards." + node.name() + ".url", node::r2dbcUrl);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {7, 250, 500})
    void pagesGoThroughAllOrdersOnceLatestFirst(int size) {
        List<OrderView> all = new ArrayList<>();
        int pages = 0;
        String next = null;
        do {
            OrderPage page = page(size, next);
            assertThat(page.next() == null || page.rows().size() == size).isTrue();
            all.addAll(page.rows());
            next = page.next();
            pages++;
        } while (next != null);

        assertThat(pages).isLessThanOrEqualTo(2_000 / size + 1);
        List<String> expected = SampleOrders.generate(new LoadProperties(true, 200, 2_000, 20_261_121L)).stream()
                .map(SampleOrders.Sample::id)
                .sorted(Comparator.reverseOrder())
                .map(id -> Long.toString(id))
                .toList();
        assertThat(all).extracting(OrderView::orderId).isEqualTo(expected);
        assertThat(all).extracting(OrderView::shard).contains("s0", "s1", "s2").doesNotContain("");
    }

    @Test
    void changedCursorIsRefused() {
        String cursor = page(10, null).next();
        assertThat(cursor).isNotNull();
        char changed = cursor.charAt(40) == 'A' ? 'B' : 'A';
        expectInvalid(cursor.substring(0, 40) + changed + cursor.substring(41), "was changed");
        expectInvalid(cursor.substring(0, 60), "the page cursor");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"x", "~~~", "0", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"})
    void cursorOfNobodyIsRefused(String cursor) {
        expectInvalid(cursor, "the page cursor");
    }

    @Test
    void emptyCursorIsNotTheFirstPage() {
        expectInvalid("", "the page cursor");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, 501})
    void sizeIsLimited(int size) {
        web.get()
                .uri("/api/orders/page?size=" + size)
                .exchange()
                .expectStatus()
                .isBadRequest()
                .expectBody();
    }

    private OrderPage page(int size, String after) {
        return web.get()
                .uri("/api/orders/page?size={size}" + (after == null ? "" : "&after=" + after), size)
                .exchange()
                .expectStatus()
                .isOk()
                .expectBody(OrderPage.class)
                .returnResult()
                .getResponseBody();
    }

    private void expectInvalid(String cursor, String reason) {
        web.get()
                .uri("/api/orders/page?after={cursor}", cursor)
                .exchange()
                .expectStatus()
                .isBadRequest()
                .expectHeader()
                .contentTypeCompatibleWith(MediaType.APPLICATION_PROBLEM_JSON)
                .expectBody()
                .jsonPath("$.title")
                .isEqualTo("Invalid cursor")
                .jsonPath("$.detail")
                .value(detail -> assertThat(detail.toString()).contains(reason, "begin again with the first page"));
    }
}
