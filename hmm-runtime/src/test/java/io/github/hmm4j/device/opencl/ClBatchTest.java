package io.github.hmm4j.device.opencl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.device.Completion;
import io.github.hmm4j.error.OpenClFailedException;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;

/// Several commands as one, over a driver whose events end as a test wants.
final class ClBatchTest {

    private final Map<Long, Integer> status = new ConcurrentHashMap<>(Map.of(1L, 1, 2L, 1, 3L, 1));
    private final ClApi api = (ClApi) Proxy.newProxyInstance(
            ClApi.class.getClassLoader(), new Class<?>[] {ClApi.class}, (_, method, arguments) -> switch (method.getName()) {
                case "createQueue" -> 1L;
                case "eventStatus" -> status.get((Long) arguments[0]);
                case "eventTime" -> 0L;
                case "waitFor", "flush", "finish", "releaseEvent" -> null;
                default -> throw new AssertionError("unexpected call: " + method);
            });
    private final Completion batch = new ClQueue(api, 0, 0, "gpu", false, false).submit(new long[] {1, 2, 3}, 3, "clEnqueueCopyBuffer", () -> "runs=3");

    @Test
    void isDoneWhenAllAre() {
        status.put(1L, 0);
        status.put(3L, 0);
        assertThat(batch.isDone()).isFalse();
        status.put(2L, 0);
        assertThat(batch.isDone()).isTrue();
        batch.await();
    }

    @Test
    void noCommandFailsUnseenThoughTheLastEndsWell() {
        status.putAll(Map.of(1L, 0, 2L, -6, 3L, 0));
        assertThatThrownBy(batch::await).isInstanceOf(OpenClFailedException.class).hasMessageContaining("runs=3");
        assertThatThrownBy(batch::await).isInstanceOf(OpenClFailedException.class);
        assertThat(batch.isDone()).isTrue();
    }
}
