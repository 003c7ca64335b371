package io.github.hmm4j.mirror;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.account.Accounts;
import io.github.hmm4j.device.Completion;
import io.github.hmm4j.error.OpenClFailedException;
import io.github.hmm4j.page.PageTable;
import io.github.hmm4j.space.PageRange;
import io.github.hmm4j.space.PageSize;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class LaunchTableTest {

    private final PageTable table = new PageTable(64, PageSize.DEFAULT);
    private final LaunchTable inFlight = new LaunchTable(table, new Accounts());

    /// A kernel that runs until it is told to end.
    private static final class Running implements Completion {

        private final CountDownLatch end = new CountDownLatch(1);
        private final boolean fails;

        Running(boolean fails) {
            this.fails = fails;
        }

        @Override
        public boolean isDone() {
            return end.getCount() == 0;
        }

        @Override
        public void await() {
            try {
                end.await();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            if (fails) {
                throw new OpenClFailedException("clWaitForEvents", -14, "CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST", "");
            }
        }
    }

    private LaunchTable.Use launch(int device, long page, boolean writes, Completion completion) {
        LaunchTable.Use use = inFlight.publish(device, List.of(new PageUse(new PageRange(page, page + 1), writes)));
        inFlight.attach(use, completion);
        return use;
    }

    private static Thread waiting(Runnable wait) {
        Thread thread = Thread.ofPlatform().daemon().start(wait);
        while (thread.getState() != Thread.State.WAITING) {
            assertThat(thread.isAlive()).as("waits").isTrue();
            Thread.onSpinWait();
        }
        return thread;
    }

    @Test
    void waitsForTheLaunchesThatConflictAndNoOthers() throws InterruptedException {
        Running writer = new Running(false);
        Running reader = new Running(true);
        launch(0, 5, true, writer);
        launch(1, 9, false, reader);
        PageRange nine = new PageRange(9, 10);
        inFlight.awaitConflicts(new PageRange(6, 9), false);
        inFlight.awaitConflicts(nine, true);
        inFlight.awaitUsesOn(0, nine);
        assertThat(inFlight.usedOn(1)).containsExactly(nine);
        assertThat(inFlight.usedOn(0)).containsExactly(new PageRange(5, 6));
        Thread first = waiting(() -> inFlight.awaitConflicts(nine, false));
        Thread second = waiting(() -> inFlight.awaitUsesOn(1, nine));
        Thread third = waiting(() -> inFlight.awaitConflicts(new PageRange(0, 6), true));
        reader.end.countDown(); // that it failed is none of their business
        first.join();
        second.join();
        assertThat(third.isAlive()).isTrue();
        writer.end.countDown();
        third.join();
        inFlight.awaitAll();
    }

    @Test
    void aClaimerWaitsForAPublishedLaunchToBeDecided() throws InterruptedException {
        LaunchTable.Use use = inFlight.publish(0, List.of(new PageUse(new PageRange(0, 4), true)));
        Thread claimer = waiting(() -> inFlight.awaitConflicts(new PageRange(3, 4), true));
        inFlight.withdraw(use);
        claimer.join();
        assertThat(inFlight.launchedOn(0)).isZero();
        assertThat(inFlight.usedOn(0)).isEmpty();
    }

    /// Somebody looks at a launch at every moment of its being attached: it never seems to have ended.
    @Test
    void aLaunchThatIsBeingAttachedHasNotEnded() throws InterruptedException {
        AtomicInteger inFlightNow = new AtomicInteger(); // odd while a launch is
        AtomicInteger missed = new AtomicInteger();
        Thread onlooker = Thread.ofPlatform().daemon().start(() -> {
            int before = 0;
            while (before >= 0) {
                before = inFlightNow.get();
                boolean seen = !inFlight.usedOn(0).isEmpty();
                if (before % 2 == 1 && !seen && inFlightNow.get() == before) {
                    missed.incrementAndGet();
                }
            }
        });
        for (int i = 0; i < 200_000; i++) {
            Running running = new Running(false);
            LaunchTable.Use use = inFlight.publish(0, List.of(new PageUse(new PageRange(5, 6), true)));
            inFlightNow.incrementAndGet();
            inFlight.attach(use, running);
            for (int pause = 0; pause < 20; pause++) {
                Thread.onSpinWait();
            }
            inFlightNow.incrementAndGet();
            running.end.countDown();
            inFlight.retire(use);
        }
        inFlightNow.set(-1);
        onlooker.join();
        assertThat(missed.get()).isZero();
    }

    @Test
    void oneMoreThanTheCapacityWaitsForOneToEnd() throws InterruptedException {
        List<Running> running = new ArrayList<>();
        for (int i = 0; i < LaunchTable.CAPACITY; i++) {
            running.add(new Running(false));
            launch(0, i, true, running.getLast());
        }
        assertThat(inFlight.launchedOn(0)).isEqualTo(LaunchTable.CAPACITY);
        Thread more = waiting(() -> launch(0, 1000, true, Completion.DONE));
        running.forEach(completion -> completion.end.countDown());
        more.join();
        assertThat(inFlight.launchedOn(0)).isEqualTo(LaunchTable.CAPACITY + 1);
        inFlight.awaitAll();
    }

    @Test
    void launchesThatHaveEndedMakeRoomWithoutBeingAwaited() {
        for (int i = 0; i < 10 * LaunchTable.CAPACITY; i++) {
            launch(3, i, true, Completion.DONE);
        }
        assertThat(inFlight.launchedOn(3)).isEqualTo(10 * LaunchTable.CAPACITY);
    }

    @Test
    void retiringIsIdempotentAndLeavesTheNextInItsPlace() {
        LaunchTable.Use first = launch(0, 1, true, Completion.DONE);
        inFlight.retire(first);
        Running next = new Running(false);
        launch(0, 1, true, next); // takes the same place
        inFlight.retire(first);
        assertThat(inFlight.usedOn(0)).containsExactly(new PageRange(1, 2));
        next.end.countDown();
        inFlight.awaitAll();
    }
}
