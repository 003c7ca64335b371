package io.github.hmm4j.demos.svm.strategy;

import io.github.hmm4j.Arg;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.Launch;
import io.github.hmm4j.Program;
import io.github.hmm4j.Report;
import io.github.hmm4j.account.Direction;
import io.github.hmm4j.demos.svm.Strategy;
import io.github.hmm4j.device.DeviceInfo;
import io.github.hmm4j.device.DeviceInfo.Svm;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.pager.HostView;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// A managed heap: nothing but loads, stores and launches, with views around them where host access is checked.
public final class Managed implements OpenStrategy, Conversing {
    private static final Set<String> STREAMS = Set.of("share_map", "share_step", "share_fill"); // whose work-items take runs in sharing_paged.cl

    private final Strategy strategy;
    private final Hmm hmm;
    private final Program program;
    private final Map<String, Kernel> kernels = new HashMap<>();
    private final boolean transparent;
    private final boolean paged;
    private @Nullable Kernel handshake;
    private Report last;
    private long kernelNanos;

    /// @param strategy as which it is measured
    /// @param hmm      owned from here on
    public Managed(Strategy strategy, Hmm hmm) {
        this.strategy = strategy;
        this.hmm = hmm;
        paged = strategy == Strategy.HMM_PAGED;
        try {
            program = paged ? hmm.program(Source.resource("sharing_paged.cl"), "-DSHARE_RUN=" + runWords()) : hmm.program(Source.resource("sharing.cl"));
        } catch (RuntimeException e) {
            hmm.close();
            throw e;
        }
        transparent = hmm.hostAccess().mode().isTransparent();
        last = hmm.report();
    }

    @Override
    public Strategy strategy() {
        return strategy;
    }

    @Override
    public Block allocate(long lengthBytes) {
        return new Region(hmm.heap().allocate(lengthBytes));
    }

    @Override
    public void launch(int times, String name, long workItems, Argument... arguments) {
        List<Object> args = new ArrayList<>();
        List<Arg> inHeap = new ArrayList<>();
        for (Argument argument : arguments) {
            switch (argument) {
                case Argument.Whole(Block block, Intent intent) -> args.add(pointer(whole(((Region) block).segment, intent), ((Region) block).segment, inHeap));
                case Argument.Part(Block block, long offsetBytes, long lengthBytes) -> {
                    MemorySegment part = ((Region) block).segment.asSlice(offsetBytes, lengthBytes);
                    args.add(pointer(Arg.inOut(part), part, inHeap));
                    args.add(0L);
                }
                case Argument.Value(long value) -> args.add(value);
            }
        }
        if (paged) {
            args.addFirst(Arg.heap(inHeap.toArray(Arg[]::new)));
        }
        Kernel.Call call = kernels.computeIfAbsent(name, program::kernel).args(args.toArray());
        List<Launch> launches = new ArrayList<>(times);
        for (int i = 0; i < times; i++) {
            launches.add(call.launch(NDRange.of(paged && STREAMS.contains(name) ? Math.ceilDiv(workItems, runWords()) : workItems)));
        }
        for (Launch launch : launches) {
            long nanos = launch.await().deviceNanos();
            kernelNanos = nanos < 0 || kernelNanos < 0 ? -1 : kernelNanos + nanos;
        }
    }

    /// A processor looks at the page table once for a run of words; on a GPU neighbours read what lies side by side.
    private int runWords() {
        return hmm.device().info().kind() == DeviceInfo.Kind.CPU ? 256 : 1;
    }

    /// What the kernel takes: a pointer, or an address and, among others, the promise what becomes of the bytes there.
    private Object pointer(Arg use, MemorySegment segment, List<Arg> inHeap) {
        if (!paged) {
            return use;
        }
        inHeap.add(use);
        return segment.address();
    }

    private static Arg whole(MemorySegment segment, Intent intent) {
        return switch (intent) {
            case IN -> Arg.in(segment);
            case OUT -> Arg.out(segment);
            case IN_OUT -> Arg.inOut(segment);
        };
    }

    /// In place, where the device has atomics that the host sees.
    @Override
    public Optional<Conversing> conversing() {
        boolean talks = strategy == Strategy.HMM_IN_PLACE && transparent && hmm.device().info().svm().contains(Svm.ATOMICS);
        return talks ? Optional.of(this) : Optional.empty();
    }

    @Override
    public Conversation converse(Block flags, Block ended, int rounds, long patience) {
        if (handshake == null) {
            handshake = hmm.program(Source.resource("handshake.cl"), "-cl-std=CL3.0").kernel("handshake");
        }
        Launch launch = handshake.args(((Region) flags).segment, ((Region) ended).segment, rounds, patience)
            .launch(NDRange.of(1));
        return launch::await;
    }

    @Override
    public Taken take() {
        Report now = hmm.report();
        Report since = now.since(last);
        last = now;
        Taken taken = new Taken(since.bytes(Direction.TO_DEVICE), since.bytes(Direction.TO_HOST), kernelNanos);
        kernelNanos = 0;
        return taken;
    }

    @Override
    public void trim() {
        hmm.evictAll(hmm.device());
    }

    @Override
    public void close() {
        hmm.close();
    }

    private final class Region implements Block {
        private final MemorySegment segment;

        Region(MemorySegment segment) {
            this.segment = segment;
        }

        @Override
        public long lengthBytes() {
            return segment.byteSize();
        }

        @Override
        public HostUse host(long offsetBytes, long lengthBytes, Access access) {
            MemorySegment range = segment.asSlice(offsetBytes, lengthBytes);
            return transparent ? new Touched(range)
                : new Viewed(hmm.heap().view(range, access == Access.READ ? io.github.hmm4j.Access.READ : io.github.hmm4j.Access.WRITE));
        }

        @Override
        public void close() {
            hmm.heap().free(segment);
        }
    }

    private record Touched(MemorySegment segment) implements HostUse {
        @Override
        public void close() {
            // nothing to say: the next launch takes the pages back
        }
    }

    private record Viewed(HostView view) implements HostUse {
        @Override
        public MemorySegment segment() {
            return view.segment();
        }

        @Override
        public void close() {
            view.close();
        }
    }
}
