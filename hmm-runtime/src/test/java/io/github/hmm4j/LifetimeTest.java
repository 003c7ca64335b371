package io.github.hmm4j;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.mirror.ProgramCode;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The end of a heap against calls that begin meanwhile.
@Timeout(60)
class LifetimeTest {

    private static final long NANOS = TimeUnit.SECONDS.toNanos(3);

    /// One that is refused just as the end comes must not count as under way: the end waited for it for ever.
    @Test
    void aCallThatMeetsTheEndIsNotWaitedFor() throws InterruptedException {
        AtomicReference<Lifetime> used = new AtomicReference<>();
        Thread caller = Thread.ofPlatform().daemon().start(() -> {
            long began = System.nanoTime();
            while (System.nanoTime() - began < NANOS) {
                useUntilTheEnd(new Lifetime(new ProgramCode()), used);
            }
        });
        Thread closer = Thread.ofPlatform().daemon().start(() -> {
            Lifetime ended = null;
            while (caller.isAlive()) {
                Lifetime life = used.get();
                if (life == null || life.equals(ended)) {
                    Thread.onSpinWait();
                } else {
                    life.end(() -> {});
                    ended = life;
                }
            }
        });
        assertThat(closer.join(Duration.ofSeconds(40))).as("ended").isTrue();
    }

    private static void useUntilTheEnd(Lifetime life, AtomicReference<Lifetime> used) {
        while (true) {
            try (Lifetime.Hold _ = life.use()) {
                used.set(life);
            } catch (IllegalStateException closed) {
                return;
            }
        }
    }
}
