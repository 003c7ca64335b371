package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.error.AccessViolationException;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.pager.HostAccess.Mode;
import io.github.hmm4j.pager.NativePager;
import io.github.hmm4j.pager.NativePager.Step;
import io.github.hmm4j.space.Protection;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// A native fetch or launch is stopped at each of its steps, and somebody else wants the same pages: both come to their end, and the pages hold what one order of the two gives.
class NativeStepsTest {

    private static final int PAGE = 4096;
    private static final int BYTES = 2 * PAGE;
    private static final int INTS = BYTES / 4;
    private static final long PATIENCE_MILLIS = 20_000;
    private static final int BEFORE = 5;
    private static final int STORED_BYTE = 9;
    private static final int STORED = 0x09090909;

    /// By native code, since the touch may have to stay stopped for as long as the test wants: a Java thread in a fault would keep the test from every safepoint.
    private static final MethodHandle MEMSET = libc("memset", FunctionDescriptor.of(ADDRESS, ADDRESS, JAVA_INT, JAVA_LONG));
    private static final MethodHandle MEMCPY = libc("memcpy", FunctionDescriptor.of(ADDRESS, ADDRESS, ADDRESS, JAVA_LONG));

    private static MethodHandle libc(String name, FunctionDescriptor type) {
        Linker linker = Linker.nativeLinker();
        return linker.downcallHandle(linker.defaultLookup().find(name).orElseThrow(), type);
    }

    /// What the other one does, and what the ints may hold in the end.
    enum Other {
        MIGRATE(List.of(BEFORE), List.of(BEFORE + 1)),
        FETCH(List.of(BEFORE), List.of(BEFORE + 1)),
        EVICT(List.of(BEFORE), List.of(BEFORE + 1)),
        LAUNCH(List.of(BEFORE + 1), List.of(BEFORE + 2)),
        LOAD(List.of(BEFORE), List.of(BEFORE + 1)),
        STORE(List.of(STORED), List.of(STORED, STORED + 1)),
        DISCARD(List.of(0), List.of(0, 1)),
        PROTECT(List.of(BEFORE), List.of(BEFORE, BEFORE + 1)),
        FREE(List.of(), List.of());

        final List<Integer> afterFetch;
        final List<Integer> afterLaunch;

        Other(List<Integer> afterFetch, List<Integer> afterLaunch) {
            this.afterFetch = afterFetch;
            this.afterLaunch = afterLaunch;
        }
    }

    static Stream<Arguments> combinations() {
        List<Arguments> all = new ArrayList<>();
        for (Mode mode : List.of(Mode.UFFD, Mode.SIGSEGV)) {
            for (Step step : List.of(Step.FETCH_CLAIMED, Step.FETCH_COPIED, Step.FETCH_MAPPED, Step.LAUNCH_PUBLISHED, Step.LAUNCH_CHECKED)) {
                for (Other other : Other.values()) {
                    all.add(Arguments.of(mode, step, other));
                }
            }
        }
        return all.stream();
    }

    @ParameterizedTest
    @MethodSource("combinations")
    void bothComeToTheirEnd(Mode mode, Step step, Other other) {
        try (Hmm hmm = Hmm.builder().heap(ByteSize.mib(16)).pageSize(PAGE).faultAround(0).hostAccess(mode).open()) {
            NativePager pager = Objects.requireNonNull(hmm.nativePager());
            Kernel add = hmm.program(Source.resource("access.cl")).kernel("add_ints");
            MemorySegment a = hmm.heap().allocate(BYTES, PAGE);
            add.args(a, BEFORE, INTS).launch(NDRange.of(INTS)).await();
            boolean launches = step == Step.LAUNCH_PUBLISHED || step == Step.LAUNCH_CHECKED;
            pager.arm(step, true);
            Background<Boolean> stopped = Background.call(() -> launches ? launch(add, a) : fetch(hmm, a));
            Background<Boolean> second;
            try {
                assertThat(pager.awaitStopped(step, PATIENCE_MILLIS)).isTrue();
                boolean faults = step != Step.FETCH_MAPPED && (other == Other.LOAD || other == Other.STORE);
                second = faults ? awaitFault(pager, () -> act(hmm, other, add, a)) : Background.run(() -> act(hmm, other, add, a)).awaitStuckOrDone();
            } finally {
                pager.arm(step, false);
            }
            boolean ran = stopped.join();
            second.join();
            if (other == Other.FREE) {
                assertThat(hmm.heap().usedBytes()).isZero();
                return;
            }
            assertThat(ran || other == Other.PROTECT).as("the launch was refused").isTrue();
            List<Integer> allowed = launches ? other == Other.PROTECT ? List.of(ran ? BEFORE + 1 : BEFORE) : other.afterLaunch : other.afterFetch;
            if (step == Step.LAUNCH_CHECKED && other == Other.STORE) {
                allowed = List.of(STORED); // a store that meets a launch comes after it
            }
            assertThat(IntStream.of(a.toArray(JAVA_INT)).boxed().distinct()).isSubsetOf(allowed);
            if (step != Step.LAUNCH_PUBLISHED || other != Other.STORE) { // stores are many, and the launch may come between them
                assertThat(a.toArray(JAVA_INT)).containsOnly(a.get(JAVA_INT, 0));
            }
        }
    }

    private static boolean fetch(Hmm hmm, MemorySegment a) {
        hmm.heap().prefetchHost(a);
        return true;
    }

    /// Whether it ran; what is protected or freed before it is enqueued keeps it from that.
    private static boolean launch(Kernel add, MemorySegment a) {
        try {
            add.args(a, 1, INTS).launch(NDRange.of(INTS)).await();
            return true;
        } catch (AccessViolationException | IllegalArgumentException e) {
            return false;
        }
    }

    /// Starts a touch and lets it come as far as the crew.
    private static Background<Boolean> awaitFault(NativePager pager, Background.Action touch) {
        pager.arm(Step.FAULT_NOTICED, true);
        try {
            Background<Boolean> running = Background.run(touch);
            assertThat(pager.awaitStopped(Step.FAULT_NOTICED, PATIENCE_MILLIS)).isTrue();
            return running;
        } finally {
            pager.arm(Step.FAULT_NOTICED, false);
        }
    }

    private static void act(Hmm hmm, Other other, Kernel add, MemorySegment a) throws Exception {
        switch (other) {
            case MIGRATE -> hmm.heap().prefetch(a, hmm.device());
            case FETCH -> hmm.heap().prefetchHost(a);
            case EVICT -> hmm.evictAll(hmm.device());
            case LAUNCH -> add.args(a, 1, INTS).launch(NDRange.of(INTS)).await();
            case LOAD -> load(a);
            case STORE -> store(a);
            case DISCARD -> hmm.heap().discard(a);
            case PROTECT -> hmm.heap().protect(a, Protection.READ);
            case FREE -> hmm.heap().free(a);
        }
    }

    private static void load(MemorySegment a) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment copy = arena.allocate(BYTES);
            MemorySegment _ = (MemorySegment) MEMCPY.invokeExact(copy, a, (long) BYTES);
            assertThat(copy.get(JAVA_INT, 0)).isIn(BEFORE, BEFORE + 1);
            assertThat(copy.get(JAVA_BYTE, BYTES - 1)).isZero();
        } catch (Throwable thrown) {
            throw new AssertionError(thrown);
        }
    }

    private static void store(MemorySegment a) {
        try {
            MemorySegment _ = (MemorySegment) MEMSET.invokeExact(a, STORED_BYTE, (long) BYTES);
        } catch (Throwable thrown) {
            throw new AssertionError(thrown);
        }
    }
}
