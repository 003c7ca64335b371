package io.github.hmm4j.demos.bench;

import io.github.hmm4j.Access;
import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.HmmDevice;
import io.github.hmm4j.demos.harness.Bench;
import io.github.hmm4j.demos.harness.BenchRow;
import io.github.hmm4j.demos.harness.BenchRow.Target;
import io.github.hmm4j.demos.harness.RunContext;
import io.github.hmm4j.migrate.MigrationReport;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// How near migration comes to the bandwidth of the device's copies, and what it saves where little has changed.
final class CopyBench implements Bench {
    /// One page in so many is changed by the host before a sparse migration.
    private static final int SPARSE_STEP = 16;

    private final Sizes sizes;

    /// @param bulkBytes   moved there and back as a whole
    /// @param sparseBytes of which one page in sixteen is changed
    record Sizes(long bulkBytes, long sparseBytes, int warmUps, int runs) {
        static final Sizes FULL = new Sizes(ByteSize.mib(64), ByteSize.mib(256), 20, 101);
    }

    CopyBench(Sizes sizes) {
        this.sizes = sizes;
    }

    @Override
    public String name() {
        return "copy";
    }

    @Override
    public String question() {
        return "How near does migration come to the bandwidth of the device's own copies?";
    }

    @Override
    public List<BenchRow> run(RunContext context) throws Exception {
        try (Hmm hmm = Subject.heap(context.device(), 2 * (sizes.bulkBytes + sizes.sparseBytes)).open();
            BareOpenCl bare = BareOpenCl.beside(hmm)) {
            return new Measurement(hmm, bare, context).rows();
        }
    }

    private final class Measurement {
        private final Hmm hmm;
        private final HmmDevice device;
        private final BareOpenCl bare;
        private final RunContext context;
        private final Subject.Rows rows;
        private final int pageBytes;

        Measurement(Hmm hmm, BareOpenCl bare, RunContext context) {
            this.hmm = hmm;
            this.device = hmm.device();
            this.bare = bare;
            this.context = context;
            rows = Subject.rows(hmm.device().info());
            pageBytes = hmm.heap().pageSize().bytes();
        }

        List<BenchRow> rows() {
            Samples toDevice = new Samples();
            Samples toHost = new Samples();
            Samples loop = new Samples();
            measureBulk(toDevice, toHost, loop);
            return List.of(bulk("copy.h2d", toDevice, loop, 0.95), bulk("copy.d2h", toHost, loop, 0.90), sparse());
        }

        /// Alternates: to the device, the loop, to the host, the loop. Samples are rates in GB/s; each has the loop after it as neighbour.
        private void measureBulk(Samples toDevice, Samples toHost, Samples loop) {
            MemorySegment segment = hmm.heap().allocate(sizes.bulkBytes, hmm.heap().pageSize().bytes());
            fill(segment, 1);
            long source = bare.buffer(sizes.bulkBytes);
            long target = bare.buffer(sizes.bulkBytes);
            for (int run = -sizes.warmUps; run < sizes.runs; run++) {
                long toDeviceNanos = nanos(() -> requireMoved(hmm.heap().prefetch(segment, device), sizes.bulkBytes));
                long loopNanos = nanos(() -> bare.copyInPieces(source, target, sizes.bulkBytes));
                long toHostNanos = nanos(() -> requireMoved(hmm.heap().prefetchHost(segment), sizes.bulkBytes));
                loopNanos = Math.round((loopNanos + nanos(() -> bare.copyInPieces(source, target, sizes.bulkBytes))) / 2.0);
                if (run >= 0) {
                    toDevice.add(rate(toDeviceNanos));
                    toHost.add(rate(toHostNanos));
                    loop.add(rate(loopNanos));
                }
                context.progress().update(run + sizes.warmUps, sizes.runs + sizes.warmUps);
            }
            check(segment, 1);
            hmm.heap().free(segment);
        }

        private double rate(long nanos) {
            return (double) sizes.bulkBytes / nanos;
        }

        private BenchRow bulk(String name, Samples rates, Samples loop, double limit) {
            Samples ratio = rates.over(loop);
            return rows.ratio(name, rates.median(), "GB/s", ratio, "copies of 2 MiB between two buffers",
                Map.of("lengthBytes", sizes.bulkBytes, "pageSizeBytes", (long) pageBytes),
                Target.atLeast(ratio.median(), limit));
        }

        private BenchRow sparse() {
            MemorySegment segment = hmm.heap().allocate(sizes.sparseBytes, hmm.heap().pageSize().bytes());
            fill(segment, 2);
            hmm.heap().prefetch(segment, device);
            long source = bare.buffer(sizes.sparseBytes);
            long target = bare.buffer(sizes.sparseBytes);
            Samples sparse = new Samples();
            Samples whole = new Samples();
            long movedBytes = (sizes.sparseBytes / pageBytes + SPARSE_STEP - 1) / SPARSE_STEP * pageBytes;
            int warmUps = Math.min(sizes.warmUps, 8);
            int runs = Math.min(sizes.runs, 41);
            for (int run = -warmUps; run < runs; run++) {
                changeSomePages(segment, 3 + run);
                long sparseNanos = nanos(() -> requireMoved(hmm.heap().prefetch(segment, device), movedBytes));
                long wholeNanos = nanos(() -> bare.copyInPieces(source, target, sizes.sparseBytes));
                if (run >= 0) {
                    sparse.add(sparseNanos / 1e6);
                    whole.add(wholeNanos / 1e6);
                }
                context.progress().update(run + warmUps, runs + warmUps);
            }
            changeSomePages(segment, 2);
            check(segment, 2);
            hmm.heap().free(segment);
            Samples ratio = sparse.over(whole);
            return rows.ratio("copy.sparse", sparse.median(), "ms", ratio, "copying all of it in pieces of 2 MiB",
                Map.of("lengthBytes", sizes.sparseBytes, "pageSizeBytes", (long) pageBytes, "movedBytes", movedBytes),
                Target.atMost(ratio.median(), 0.12));
        }

        private void changeSomePages(MemorySegment segment, int seed) {
            for (long offset = 0; offset < segment.byteSize(); offset += (long) SPARSE_STEP * pageBytes) {
                MemorySegment page = segment.asSlice(offset, Math.min(pageBytes, segment.byteSize() - offset));
                try (var view = hmm.heap().view(page, Access.WRITE)) {
                    writePattern(view.segment(), offset, seed);
                }
            }
        }

        private void fill(MemorySegment segment, int seed) {
            try (var view = hmm.heap().view(segment, Access.WRITE)) {
                writePattern(view.segment(), 0, seed);
            }
        }

        private static void writePattern(MemorySegment bytes, long offset, int seed) {
            for (long i = 0; i < bytes.byteSize(); i += Long.BYTES) {
                bytes.set(ValueLayout.JAVA_LONG, i, pattern(offset + i, seed));
            }
        }

        private void check(MemorySegment segment, int seed) {
            try (var view = hmm.heap().view(segment, Access.READ)) {
                for (long i = 0; i < segment.byteSize(); i += Long.BYTES) {
                    long found = view.segment().get(ValueLayout.JAVA_LONG, i);
                    if (found != pattern(i, seed)) {
                        throw new IllegalStateException(String.format(Locale.ROOT, "wrong bytes after migration: offset=%d, found=0x%x, expected=0x%x",
                            i, found, pattern(i, seed)));
                    }
                }
            }
        }

        private static long pattern(long offset, int seed) {
            return (offset + 1) * 0x9E3779B97F4A7C15L + seed;
        }

        private static void requireMoved(MigrationReport report, long lengthBytes) {
            if (!report.allResident() || report.bytesCopied() != lengthBytes) {
                throw new IllegalStateException("expected " + lengthBytes + " bytes to move, but: " + report);
            }
        }

        private static long nanos(Runnable work) {
            long start = System.nanoTime();
            work.run();
            return System.nanoTime() - start;
        }
    }
}
