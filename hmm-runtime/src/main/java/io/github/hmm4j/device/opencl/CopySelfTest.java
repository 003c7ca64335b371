package io.github.hmm4j.device.opencl;

import io.github.hmm4j.device.CopyRun;
import io.github.hmm4j.device.DeviceInfo;
import io.github.hmm4j.device.DeviceMemory;
import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.error.NoDeviceException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Finds out which copy engines copy right on a device, and which of those is to be used. Takes some milliseconds on
/// memory of its own.
///
/// That is `direct` where the device works in host memory, unless another is far faster: then faults are served without a
/// command, and one kind of machine behaves like itself under load. Elsewhere it is `copy`, the device's own way of moving
/// bytes between buffers, unless another is clearly faster.
final class CopySelfTest {

    private static final Logger LOG = LoggerFactory.getLogger(CopySelfTest.class);

    private static final long BYTES = 4L << 20;
    private static final long PAGE = 4096;
    /// More than one: a driver that keeps copies of host memory is right the first time and stale the next.
    private static final int ROUNDS = 3;
    private static final int TIMINGS = 3;
    private static final long SMALL_BYTES = 64 << 10;
    private static final int SMALL_TIMINGS = 8;
    /// What another engine must be faster than copy by, so that noise does not decide.
    private static final double CLEARLY = 1.05;
    /// What another engine must be faster than direct by.
    private static final double FAR = 2;
    /// Pages of each run, in turn, until the test memory is covered: single pages, odd numbers, and big ones.
    private static final int[] RUN_PAGES = {1, 3, 16, 1, 131, 7, 512, 2, 61};

    /// What one engine did: either what is wrong with it, or how fast it is.
    private record Result(@Nullable String problem, @Nullable CopyRates rates) {}

    private CopySelfTest() {}

    /// @throws IllegalArgumentException if `wanted` is direct and the device does not work in host memory
    /// @throws NoDeviceException if no engine that may be used copies right
    static CopyChoice choose(ClDevice device, CopyMode wanted) {
        if (wanted == CopyMode.DIRECT && !device.info().unifiedMemory()) {
            throw new IllegalArgumentException("copy=direct, but device=" + device
                    + " does not work in host memory; use staged or auto");
        }
        List<CopyRates> right = new ArrayList<>();
        var problems = new StringBuilder();
        for (CopyMode mode : candidates(device, wanted)) {
            Result result = test(device, mode, host ->
                    ClCopyEngine.create(mode, device, host.address(), host.byteSize()));
            if (result.rates() != null) {
                right.add(result.rates());
            } else {
                problems.append("; ").append(mode).append(" is not used: ").append(result.problem());
                LOG.warn("copy engine is not used: engine={}, device={}, {}", mode, device, result.problem());
            }
        }
        if (right.isEmpty()) {
            throw new NoDeviceException("no copy engine works: device=" + device + problems);
        }
        return choice(right, wanted, problems.toString());
    }

    private static List<CopyMode> candidates(ClDevice device, CopyMode wanted) {
        if (wanted != CopyMode.AUTO) {
            return List.of(wanted);
        }
        // An integrated GPU may pin what it is given, and would keep pages that the heap has given back and taken anew.
        return device.info().kind() == DeviceInfo.Kind.CPU
                ? List.of(CopyMode.DIRECT, CopyMode.STAGED, CopyMode.COPY)
                : List.of(CopyMode.STAGED, CopyMode.COPY);
    }

    private static CopyChoice choice(List<CopyRates> right, CopyMode wanted, String problems) {
        CopyRates best = best(right);
        String why = wanted != CopyMode.AUTO
                ? "asked for"
                : right.size() == 1
                        ? "the only one that copies right"
                        : (best.equals(fastest(right)) ? "faster" : "none is clearly faster") + ", MB/s to device/to host: "
                                + String.join(", ", right.stream().map(CopyRates::toString).toList());
        return new CopyChoice(best.engine(), best.toDevice(), best.toHost(), why + problems, right);
    }

    /// The fastest, or the one that goes before it if that is as good.
    static CopyRates best(List<CopyRates> right) {
        CopyRates fastest = fastest(right);
        return within(right, CopyMode.DIRECT, FAR * fastest.cost()).or(() -> within(right, CopyMode.COPY, CLEARLY * fastest.cost())).orElse(fastest);
    }

    private static CopyRates fastest(List<CopyRates> right) {
        return right.stream().min(Comparator.comparingDouble(CopyRates::cost)).orElseThrow();
    }

    private static Optional<CopyRates> within(List<CopyRates> right, CopyMode mode, double cost) {
        return right.stream().filter(rates -> rates.engine().equals(mode.toString()) && rates.cost() <= cost).findFirst();
    }

    /// Tests the engine that `make` puts over the host memory it is given.
    private static Result test(ClDevice device, CopyMode mode, Function<MemorySegment, ClCopyEngine> make) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment host = arena.allocate(2 * BYTES, PAGE);
            ClCopyEngine engine = device.own(() -> make.apply(host));
            try (engine; DeviceMemory memory = device.allocate(BYTES)) {
                var test = new OneEngine(engine, memory, host.asSlice(0, BYTES), host.asSlice(BYTES));
                String problem = test.problem();
                return problem == null ? new Result(null, test.rates(mode)) : new Result(problem, null);
            }
        } catch (HmmException e) {
            return new Result(String.valueOf(e.getMessage()), null);
        }
    }

    private record OneEngine(ClCopyEngine engine, DeviceMemory memory, MemorySegment source, MemorySegment target) {

        /// What is wrong, or null. Every round has other contents in the same places, on all three sides.
        @Nullable String problem() {
            for (int round = 0; round < ROUNDS; round++) {
                fill(source, round);
                target.fill((byte) 0xEE);
                engine.toDevice(runs(source)).await();
                engine.toHost(runs(target)).await();
                long wrong = source.mismatch(target);
                if (wrong >= 0) {
                    return "wrong byte after a round trip: offset=" + wrong + ", round=" + round;
                }
            }
            engine.zero(memory, PAGE, BYTES - 2 * PAGE).await();
            engine.toHost(runs(target)).await();
            source.asSlice(PAGE, BYTES - 2 * PAGE).fill((byte) 0);
            long wrong = source.mismatch(target);
            return wrong >= 0 ? "wrong byte after a fill: offset=" + wrong : null;
        }

        CopyRates rates(CopyMode mode) {
            return new CopyRates(mode.toString(), rate(true, BYTES, TIMINGS), rate(false, BYTES, TIMINGS),
                    rate(true, SMALL_BYTES, SMALL_TIMINGS), rate(false, SMALL_BYTES, SMALL_TIMINGS));
        }

        /// The best of a few, in megabytes per second; at least 1.
        private long rate(boolean toDevice, long bytes, int timings) {
            List<CopyRun> run = List.of(new CopyRun((toDevice ? source : target).address(), memory, 0, bytes));
            long best = Long.MAX_VALUE;
            for (int i = 0; i < timings; i++) {
                long start = System.nanoTime();
                (toDevice ? engine.toDevice(run) : engine.toHost(run)).await();
                best = Math.min(best, System.nanoTime() - start);
            }
            return Math.max(1, bytes * 1000 / Math.max(1, best));
        }

        /// Every page once, every second run last: runs neither in order nor contiguous.
        private List<CopyRun> runs(MemorySegment host) {
            List<CopyRun> even = new ArrayList<>();
            List<CopyRun> odd = new ArrayList<>();
            long offset = 0;
            for (int i = 0; offset < BYTES; i++) {
                long bytes = Math.min(RUN_PAGES[i % RUN_PAGES.length] * PAGE, BYTES - offset);
                (i % 2 == 0 ? even : odd).add(new CopyRun(host.address() + offset, memory, offset, bytes));
                offset += bytes;
            }
            even.addAll(odd);
            return even;
        }

        /// Every page is a window of its own onto noise, and every round has its own noise: no word is where it could
        /// have been before.
        private static void fill(MemorySegment host, int round) {
            long pages = BYTES / PAGE;
            byte[] noise = new byte[Math.toIntExact(PAGE + pages * Long.BYTES)];
            new SplittableRandom(round).nextBytes(noise);
            for (long page = 0; page < pages; page++) {
                int window = Math.toIntExact(page * Long.BYTES);
                MemorySegment.copy(noise, window, host, ValueLayout.JAVA_BYTE, page * PAGE, Math.toIntExact(PAGE));
            }
        }
    }
}
