package io.github.hmm4j.demos.bench;

import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.HmmDevice;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.demos.harness.Bench;
import io.github.hmm4j.demos.harness.BenchRow;
import io.github.hmm4j.demos.harness.BenchRow.Target;
import io.github.hmm4j.demos.harness.RunContext;
import io.github.hmm4j.demos.harness.UsageException;
import io.github.hmm4j.device.DeviceInfo;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.migrate.MigrationReport;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What it costs that one device needs what another has written.
///
/// Two devices of one kind, which kernels of each own in turns. It needs two; on a machine with one GPU that is POCL with two devices.
final class PeersBench implements Bench {
    private static final int GROUP_ITEMS = 64;

    private final Sizes sizes;

    /// @param lengthBytes that go from device to device
    record Sizes(long lengthBytes, int warmUps, int runs) {
        static final Sizes FULL = new Sizes(ByteSize.mib(256), 3, 21);
    }

    PeersBench(Sizes sizes) {
        this.sizes = sizes;
    }

    @Override
    public String name() {
        return "peers";
    }

    @Override
    public String question() {
        return "What does it cost that a device reads what another has written?";
    }

    /// It needs two devices.
    @Override
    public boolean isOneOfAll() {
        return false;
    }

    @Override
    public List<BenchRow> run(RunContext context) throws Exception {
        FaultBench.requireDirectAccess(context.device(), name());
        try (Hmm hmm = Subject.heap(context.device(), sizes.lengthBytes() + ByteSize.mib(16)).allDevices().open();
            BareOpenCl bare = BareOpenCl.beside(hmm)) {
            if (hmm.devices().size() < 2) {
                throw new UsageException("this benchmark needs two devices, and device=" + hmm.device().info().name()
                    + " is alone; POCL has several with POCL_DEVICES=\"pthread pthread\"");
            }
            return new Measurement(hmm, bare, context).rows();
        }
    }

    private final class Measurement {
        private final Hmm hmm;
        private final BareOpenCl bare;
        private final RunContext context;
        private final Kernel fill;
        private final MemorySegment pages;
        private int owner;

        Measurement(Hmm hmm, BareOpenCl bare, RunContext context) {
            this.hmm = hmm;
            this.bare = bare;
            this.context = context;
            fill = hmm.program(Source.resource("access.cl")).kernel("fill_ramp");
            pages = hmm.heap().allocate(sizes.lengthBytes(), hmm.heap().pageSize().bytes());
        }

        List<BenchRow> rows() throws Exception {
            DeviceInfo info = hmm.device().info();
            boolean inHostMemory = info.kind() == DeviceInfo.Kind.CPU || info.unifiedMemory();
            Turns.Measured floor = inHostMemory ? copies() : slowerTransfers();
            String baseline = inHostMemory ? "copies of 2 MiB between two buffers" : "the slower of pinned transfers of 2 MiB there and back";
            Subject.Rows rows = Subject.rows(hmm);
            Map<String, Long> facts = Map.of("lengthBytes", sizes.lengthBytes(), "pageSizeBytes", (long) hmm.heap().pageSize().bytes());
            Turns bandwidth = Turns.take(sizes.warmUps(), sizes.runs(), context.progress(), () -> rate(cross()), floor);
            Samples ratio = bandwidth.ratio();
            Turns ways = Turns.take(sizes.warmUps(), sizes.runs(), context.progress(), this::cross, this::throughTheHost);
            check();
            return List.of(
                rows.ratio("peer.bandwidth", bandwidth.ours().median(), "GB/s", ratio, baseline, facts, Target.atLeast(ratio.median(), 0.90)),
                rows.row("peer.through_host", ways.ours().median() / 1e6, "ms", Optional.of(ways.ratio().median()), "the same through the host's pages", facts,
                    Optional.empty(), ways.ratio()));
        }

        private Turns.Measured copies() {
            long source = bare.buffer(sizes.lengthBytes());
            long target = bare.buffer(sizes.lengthBytes());
            return () -> rate(nanos(() -> bare.copyInPieces(source, target, sizes.lengthBytes())));
        }

        private Turns.Measured slowerTransfers() {
            PinnedTransfers pinned = new PinnedTransfers(bare);
            return () -> Math.min(rate(pinned.toDevice(sizes.lengthBytes())), rate(pinned.toHost(sizes.lengthBytes())));
        }

        private double rate(long nanos) {
            return (double) sizes.lengthBytes() / nanos;
        }

        /// Nanoseconds until the device that has not written the pages has them, too.
        private long cross() {
            HmmDevice other = writtenByOne();
            return nanos(() -> requireAll(hmm.heap().prefetch(pages, other)));
        }

        /// The same for a program that brings them home first.
        private long throughTheHost() {
            HmmDevice other = writtenByOne();
            return nanos(() -> {
                requireAll(hmm.heap().prefetchHost(pages));
                requireAll(hmm.heap().prefetch(pages, other));
            });
        }

        /// @return the other device
        private HmmDevice writtenByOne() {
            owner = 1 - owner;
            int n = Math.toIntExact(sizes.lengthBytes() / Integer.BYTES);
            fill.args(pages, owner, 1, n).launch(NDRange.covering(new long[] {n}, GROUP_ITEMS), hmm.devices().get(owner)).await();
            return hmm.devices().get(1 - owner);
        }

        /// What both devices have is what one has written.
        private void check() {
            long n = sizes.lengthBytes() / Integer.BYTES;
            for (long i = 0; i < n; i++) {
                int found = pages.getAtIndex(ValueLayout.JAVA_INT, i);
                if (found != owner + (int) i) {
                    throw new IllegalStateException("int " + i + " is " + found + ", expected " + (owner + (int) i));
                }
            }
        }

        private void requireAll(MigrationReport report) {
            if (!report.allResident() || report.bytesCopied() != sizes.lengthBytes()) {
                throw new IllegalStateException("expected " + sizes.lengthBytes() + " bytes to move, but: " + report);
            }
        }

        private long nanos(Runnable what) {
            long start = System.nanoTime();
            what.run();
            return System.nanoTime() - start;
        }
    }
}
