package io.github.hmm4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.device.Completion;
import io.github.hmm4j.device.CopyEngine;
import io.github.hmm4j.device.Device;
import io.github.hmm4j.error.DeviceLostException;
import io.github.hmm4j.error.OpenClFailedException;
import io.github.hmm4j.error.PagePoisonedException;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A copy to the host was given up, and its device may still carry it out: the memory that it would write to is kept from everybody until it has ended. With checked access; tests in C ask the
/// same of transparent access.
@Timeout(60)
class StuckCopyTest {

    private volatile boolean stuck;

    @Test
    void itsMemoryIsNobodys() {
        try (Rig rig = Rig.odd(this::odd)) {
            MemorySegment a = rig.filled(1, 7);
            rig.add(a, 1, 0).await();
            stuck = true;
            assertThatThrownBy(() -> rig.read(a)).isInstanceOf(DeviceLostException.class);
            assertThatThrownBy(() -> rig.read(a)).isInstanceOf(PagePoisonedException.class);
            assertThatThrownBy(() -> rig.heap.discard(a)).isInstanceOf(DeviceLostException.class);
            rig.heap.free(a);
            Set<Long> meanwhile = Set.of(rig.pages(1).address(), rig.pages(1).address());
            assertThat(meanwhile).doesNotContain(a.address());
            stuck = false;
            rig.pages(1); // with it what was freed is given back
            OtherFrees.pass(rig.heap);
            Set<Long> later = Set.of(rig.pages(1).address(), rig.pages(1).address(), rig.pages(1).address());
            assertThat(later).contains(a.address());
        }
    }

    private Device odd(Device real) {
        return with(Device.class, real, "copyEngine", engine -> with(CopyEngine.class, engine, "toHost", copy -> stuck ? new GivenUp() : copy));
    }

    private final class GivenUp implements Completion {

        @Override
        public boolean isDone() {
            return true;
        }

        @Override
        public void await() {
            throw new DeviceLostException("odd", "copy", new OpenClFailedException("copy", -2, "CL_DEVICE_NOT_AVAILABLE", "it does not end"));
        }

        @Override
        public boolean mayStillRun() {
            return stuck;
        }
    }

    /// The same object, whose method returns something else.
    private static <T> T with(Class<T> type, Object real, String name, UnaryOperator<Object> result) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (_, method, arguments) -> {
            try {
                Object returned = method.invoke(real, arguments);
                return method.getName().equals(name) ? result.apply(returned) : returned;
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        }));
    }
}
