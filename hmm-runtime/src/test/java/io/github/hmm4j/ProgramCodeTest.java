package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.mirror.Subscription;
import io.github.hmm4j.policy.Candidates;
import io.github.hmm4j.space.Protection;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Eviction policies and mirrors that call the heap which has called them.
@Timeout(60)
@Tag("two-devices")
class ProgramCodeTest {

    private static final int PAGES = 4; // of each array: two fill a device

    private interface Call {
        void on(World world);
    }

    /// All that takes a lock of the heap's, or waits for somebody who has one.
    private static final Map<String, Call> CHANGES = new LinkedHashMap<>();

    static {
        CHANGES.put("launch", w -> w.rig.add(w.a, 1, 0));
        CHANGES.put("prefetch", w -> w.rig.heap.prefetch(w.a, w.rig.device(0)));
        CHANGES.put("prefetch to the other device", w -> w.rig.heap.prefetch(w.b, w.rig.device(1)));
        CHANGES.put("migrate", w -> w.rig.heap.migrate(w.a, w.rig.device(0)));
        CHANGES.put("prefetchHost", w -> w.rig.heap.prefetchHost(w.c));
        CHANGES.put("evictAll", w -> w.rig.hmm.evictAll(w.rig.device(0)));
        CHANGES.put("allocate", w -> w.rig.pages(1));
        CHANGES.put("allocate from an array", w -> w.rig.heap.allocateFrom(JAVA_INT, 1, 2));
        CHANGES.put("free", w -> w.rig.heap.free(w.a));
        CHANGES.put("move", w -> w.rig.heap.move(w.a));
        CHANGES.put("protect", w -> w.rig.heap.protect(w.c, Protection.READ));
        CHANGES.put("discard", w -> w.rig.heap.discard(w.a));
        CHANGES.put("view", w -> w.rig.heap.view(w.c, Access.WRITE));
        CHANGES.put("sharedView", w -> w.rig.heap.sharedView(w.c, Access.READ));
        CHANGES.put("pin", w -> w.rig.heap.pin(w.c, Access.READ));
        CHANGES.put("deviceTable", w -> w.rig.heap.deviceTable(w.rig.device(0), w.a));
        CHANGES.put("close", w -> w.rig.hmm.close());
        CHANGES.put("readBegin", w -> w.subscription.readBegin());
        CHANGES.put("close a subscription", w -> w.subscription.close());
    }

    static Set<String> changes() {
        return CHANGES.keySet();
    }

    /// Three arrays of two devices, and a mirror of all of them that the policy knows.
    private static final class World implements AutoCloseable {

        final Rig rig = Rig.open(2, builder -> builder.heap(ByteSize.mib(8)).budget(2L * PAGES * Rig.PAGE)
                .eviction(this::victims));
        final MemorySegment a = rig.filled(PAGES, 1);
        final MemorySegment b = rig.filled(PAGES, 2);
        final MemorySegment c = rig.filled(PAGES, 3);
        final Subscription subscription = rig.heap.mirror(a, new ReentrantLock(), _ -> { });
        final List<Throwable> refused = new ArrayList<>();
        Call withinPolicy = _ -> { };
        int asked;

        private int[] victims(Candidates candidates, int framesNeeded) {
            asked++;
            withinPolicy.on(this);
            return IntStream.range(0, candidates.size()).toArray();
        }

        Call refusing(Call call) {
            return world -> {
                try {
                    call.on(world);
                    refused.add(new AssertionError("it was not refused"));
                } catch (IllegalStateException e) {
                    refused.add(e);
                }
            };
        }

        /// Each of the arrays is used, of which two fit.
        void round() {
            for (MemorySegment array : List.of(a, b, c)) {
                rig.add(array, 10, 0).await();
            }
        }

        /// After so many rounds.
        void assertRight(int rounds) {
            assertThat(rig.values(a)).containsExactly(1 + 10 * rounds);
            assertThat(rig.values(b)).containsExactly(2 + 10 * rounds);
            assertThat(rig.values(c)).containsExactly(3 + 10 * rounds);
            assertThat(rig.device(0).usedBytes()).isLessThanOrEqualTo(2L * PAGES * Rig.PAGE);
        }

        void assertRefused(String code) {
            assertThat(refused).isNotEmpty().allSatisfy(e -> assertThat(e).isInstanceOf(IllegalStateException.class));
            assertThat(refused).allSatisfy(e -> assertThat(e.getMessage()).containsAnyOf(code,
                    "within one of its own calls"));
        }

        @Override
        public void close() {
            subscription.close();
            rig.close();
        }
    }

    @ParameterizedTest
    @MethodSource("changes")
    void an_eviction_policy_must_not_change_what_it_is_asked_for(String change) {
        try (World world = new World()) {
            world.withinPolicy = world.refusing(CHANGES.get(change));
            world.round();
            world.round();
            assertThat(world.asked).isPositive();
            world.assertRefused("within an eviction policy");
            world.assertRight(2);
            world.withinPolicy = _ -> { };
            world.round();
            world.rig.heap.free(world.rig.heap.move(world.rig.filled(1, 5)));
            world.assertRight(3);
        }
    }

    @ParameterizedTest
    @MethodSource("changes")
    void a_mirror_must_not_change_what_it_is_told_of(String change) {
        try (World world = new World()) {
            Call call = world.refusing(CHANGES.get(change));
            try (Subscription _ = world.rig.heap.mirror(world.a, new ReentrantLock(), _ -> call.on(world))) {
                world.round();
                world.round();
            }
            world.assertRefused("within an invalidation callback");
            world.assertRight(2);
            world.round();
            world.assertRight(3);
        }
    }

    @Test
    void a_policy_that_is_refused_something_falls_back_to_the_order_of_frames() {
        try (World world = new World()) {
            world.withinPolicy = w -> w.rig.heap.free(w.a);
            world.round();
            world.round();
            assertThat(world.asked).isPositive();
            world.assertRight(2);
        }
    }

    @Test
    void a_policy_may_look() {
        try (World world = new World()) {
            List<Object> seen = new ArrayList<>();
            world.withinPolicy = w -> seen.add(List.of(w.rig.heap.residency(w.a), w.rig.heap.snapshot(w.a),
                    w.rig.heap.snapshot(w.a, w.rig.device(0)), w.rig.heap.smaps(),
                    w.rig.heap.usedBytes(), w.rig.heap.contains(w.a.address()), w.rig.hmm.report(),
                    w.rig.device(0).usedBytes(), w.rig.kernel("two").name()));
            world.round();
            world.round();
            assertThat(seen).hasSize(world.asked).isNotEmpty();
            world.assertRight(2);
        }
    }

    @Test
    void a_policy_may_use_another_heap() {
        try (World world = new World(); Rig other = Rig.windows(1, 2 * PAGES)) {
            MemorySegment array = other.filled(PAGES, 0);
            world.withinPolicy = _ -> other.add(array, 1, 0).await();
            world.round();
            world.round();
            assertThat(other.values(array)).containsExactly(world.asked);
            world.assertRight(2);
        }
    }
}
