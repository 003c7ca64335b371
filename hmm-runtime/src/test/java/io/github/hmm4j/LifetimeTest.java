package io.github.hmm4j;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.mirror.ProgramCode;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The end of a heap against calls that begin meanwhile.
@Timeout(60)
class LifetimeTest {

    private static final int LIVES = 20_000;

    /// One that is refused just as the end comes must not count as under way: the end waited for it for ever.
    @Test
    void aCallThatMeetsTheEndIsNotWaitedFor() throws InterruptedException {
        List<Lifetime> lives = Stream.generate(() -> new Lifetime(new ProgramCode())).limit(LIVES).toList();
        AtomicInteger used = new AtomicInteger(-1);
        AtomicInteger ended = new AtomicInteger();
        Thread caller = Thread.ofPlatform().daemon().start(() -> {
            for (int i = 0; i < LIVES; i++) {
                useUntilTheEnd(lives.get(i), used, i);
            }
        });
        Thread closer = Thread.ofPlatform().daemon().start(() -> {
            for (int i = 0; i < LIVES; i++) {
                while (used.get() < i) {
                    Thread.onSpinWait();
                }
                lives.get(i).end();
                ended.incrementAndGet();
            }
        });
        assertThat(closer.join(Duration.ofSeconds(40))).as("ended %d of %d", ended.get(), LIVES).isTrue();
        caller.join();
        assertThat(ended.get()).isEqualTo(LIVES);
    }

    private static void useUntilTheEnd(Lifetime life, AtomicInteger used, int number) {
        while (true) {
            try (Lifetime.Hold _ = life.use()) {
                used.set(number);
            } catch (IllegalStateException closed) {
                return;
            }
        }
    }
}
