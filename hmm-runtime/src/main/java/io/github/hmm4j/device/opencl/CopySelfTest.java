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
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Finds out which copy engines copy right on a device, and which of those is faster. Takes some milliseconds on memory
/// of its own.
final class CopySelfTest {

    private static final Logger LOG = LoggerFactory.getLogger(CopySelfTest.class);

    private static final long BYTES = 4L << 20;
    private static final long PAGE = 4096;
    /// More than one: a driver that keeps copies of host memory is right the first time and stale the next.
    private static final int ROUNDS = 3;
    private static final int TIMINGS = 3;
    /// Pages of each run, in turn, until the test memory is covered: single pages, odd numbers, and big ones.
    private static final int[] RUN_PAGES = {1, 3, 16, 1, 131, 7, 512, 2, 61};

    /// What one engine did. `problem` is null if every byte was right.
    private record Result(CopyMode mode, long toDevice, long toHost, @Nullable String problem) {

        /// Time for a byte there and back decides.
        double cost() {
            return 1.0 / toDevice + 1.0 / toHost;
        }

        String rates() {
            return mode + " " + toDevice + "/" + toHost + " MB/s to device/to host";
        }
    }

    private CopySelfTest() {}

    /// @throws IllegalArgumentException if `wanted` is direct and the device does not work in host memory
    /// @throws NoDeviceException if no engine that may be used copies right
    static CopyChoice choose(ClDevice device, CopyMode wanted) {
        if (wanted == CopyMode.DIRECT && !device.info().unifiedMemory()) {
            throw new IllegalArgumentException("copy=direct, but device=" + device
                    + " does not work in host memory; use staged or auto");
        }
        List<Result> right = new ArrayList<>();
        var problems = new StringBuilder();
        for (CopyMode mode : candidates(device, wanted)) {
            Result result = test(device, mode, host ->
                    ClCopyEngine.create(mode, device, host.address(), host.byteSize()));
            if (result.problem() == null) {
                right.add(result);
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
        return device.info().kind() == DeviceInfo.Kind.CPU ? List.of(CopyMode.DIRECT, CopyMode.STAGED) : List.of(CopyMode.STAGED);
    }

    private static CopyChoice choice(List<Result> right, CopyMode wanted, String problems) {
        Result best = right.stream().min((a, b) -> Double.compare(a.cost(), b.cost())).orElseThrow();
        String why = wanted != CopyMode.AUTO
                ? "asked for"
                : right.size() == 1
                        ? problems.isEmpty() ? "the device has memory of its own" : "the only one that copies right"
                        : "faster: " + String.join(", ", right.stream().map(Result::rates).toList());
        return new CopyChoice(best.mode().toString(), best.toDevice(), best.toHost(), why + problems);
    }

    /// Tests the engine that `make` puts over the host memory it is given.
    private static Result test(ClDevice device, CopyMode mode, Function<MemorySegment, ClCopyEngine> make) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment host = arena.allocate(2 * BYTES, PAGE);
            ClCopyEngine engine = device.own(() -> make.apply(host));
            try (engine; DeviceMemory memory = device.allocate(BYTES)) {
                var test = new OneEngine(engine, memory, host.asSlice(0, BYTES), host.asSlice(BYTES));
                String problem = test.problem();
                return problem == null
                        ? new Result(mode, test.rate(true), test.rate(false), null)
                        : new Result(mode, 0, 0, problem);
            }
        } catch (HmmException e) {
            return new Result(mode, 0, 0, e.getMessage());
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

        /// The best of a few, in megabytes per second; at least 1.
        long rate(boolean toDevice) {
            List<CopyRun> whole = List.of(new CopyRun((toDevice ? source : target).address(), memory, 0, BYTES));
            long best = Long.MAX_VALUE;
            for (int i = 0; i < TIMINGS; i++) {
                long start = System.nanoTime();
                (toDevice ? engine.toDevice(whole) : engine.toHost(whole)).await();
                best = Math.min(best, System.nanoTime() - start);
            }
            return Math.max(1, BYTES * 1000 / Math.max(1, best));
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
