package io.github.hmm4j;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.migrate.Steps;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Stops the thread that comes to a step, at a call that is counted from when it is armed.
final class StoppedAtStep implements Steps {

    private final CountDownLatch reached = new CountDownLatch(1);
    private final CountDownLatch goOn = new CountDownLatch(1);
    private volatile Steps.Step where;
    private volatile int calls;

    void arm(Steps.Step step, int call) {
        calls = call;
        where = step;
    }

    @Override
    public void at(Step step) {
        if (step == where && --calls == 0) { // only one thread comes here before that
            where = null;
            reached.countDown();
            await(goOn);
        }
    }

    void awaitReached() {
        await(reached);
    }

    void goOn() {
        goOn.countDown();
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(20, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
