package io.github.hmm4j.device.opencl;

import io.github.hmm4j.device.Completion;
import io.github.hmm4j.device.DeviceInfo;
import io.github.hmm4j.device.DeviceKernel;
import io.github.hmm4j.device.DeviceMemory;
import io.github.hmm4j.device.DeviceProgram;
import io.github.hmm4j.device.InPlace;
import io.github.hmm4j.device.KernelArgument;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.space.AddressSpace;
import io.github.hmm4j.space.PageSize;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Finds out whether kernels use host pages where they are: in memory of the same kind as a heap's, without a map
/// command, as heaps use it.
///
/// The specification lets a driver keep a copy of what it wraps, and many do. So kernels read what the host has just
/// written, and the host what they have, in several rounds; then both write words of one cache line at the same time,
/// and see each other's while the kernel runs: else a write of one could take back a write of the other.
///
/// That is tried for the ways in which kernels can get them: by address, where the device says that it shares all memory of the host or somebody asks for that, which has no limits of size and alignment; else wrapped as buffers.
///
/// Takes some milliseconds, and the time to compile two small kernels.
final class InPlaceSelfTest {

    private static final Logger LOG = LoggerFactory.getLogger(InPlaceSelfTest.class);

    private static final long BYTES = 8L << 20;
    private static final long WORDS = BYTES / Long.BYTES;
    /// The host writes and looks at one word in so many: one of each cache line.
    private static final long STRIDE = 8;
    /// More than one: a driver that copies at first use is right the first time and stale the next.
    private static final int ROUNDS = 3;
    private static final long FACTOR = 0x9E3779B97F4A7C15L;
    private static final int GROUP = 64;
    private static final int TURNS = 8;
    /// Looks of a kernel at the host's word, in one turn. On a busy machine the host's thread may have to wait for a
    /// processor, so there are tries with more.
    private static final int[] PATIENCE = {1 << 22, 1 << 25, 1 << 28};
    /// The last of these is tried again as long as the host's thread had no processor for more than this share of it, which says nothing of the device.
    private static final int SHARE = 8;
    private static final int MOST_TRIES = 20;
    private static final int TIMINGS = 4;
    private static final VarHandle WORD = ValueLayout.JAVA_INT.varHandle();

    private final ClDevice device;
    private final MemorySegment host;
    private final DeviceMemory tried;
    private final String what; // kernels get
    private final boolean byAddress;
    private final DeviceKernel change;
    private final DeviceKernel turns;
    private boolean hostSlept; // in the last try

    private InPlaceSelfTest(ClDevice device, MemorySegment host, DeviceMemory tried, String what, boolean byAddress, DeviceProgram program) {
        this.device = device;
        this.host = host;
        this.tried = tried;
        this.what = what;
        this.byAddress = byAddress;
        change = program.kernel("change_words");
        turns = program.kernel("take_turns");
    }

    static InPlace of(ClDevice device) {
        InPlaceMode asked = device.inPlaceAsked();
        if (asked == InPlaceMode.BUFFER) {
            return InPlace.refuted("inPlace=buffer was asked for: only in memory that it allocates itself");
        }
        boolean triesAddress = asked == InPlaceMode.ADDRESS || (asked == InPlaceMode.AUTO && device.info().svm().contains(DeviceInfo.Svm.FINE_GRAIN_SYSTEM));
        InPlace byAddress = triesAddress ? tried(device, true) : null;
        InPlace found = byAddress != null && (byAddress.proven() || asked == InPlaceMode.ADDRESS) ? byAddress : either(byAddress, tried(device, false));
        LOG.debug("kernels of {} in host memory: {}", device, found);
        return found;
    }

    /// The same in memory that the driver has allocated.
    static InPlace inShared(ClDevice device) {
        InPlaceMode asked = device.inPlaceAsked();
        if (!device.info().svm().contains(DeviceInfo.Svm.FINE_GRAIN_BUFFER) || (asked != InPlaceMode.AUTO && asked != InPlaceMode.BUFFER)) {
            return InPlace.refuted("it has no fine-grained shared buffers, or they are not wanted");
        }
        try (ClSharedMemory shared = new ClSharedMemory(device, BYTES); DeviceProgram program = build(device)) {
            MemorySegment host = MemorySegment.ofAddress(shared.addressBytes()).reinterpret(BYTES);
            DeviceMemory memory = new ClHostPointer(device, shared.addressBytes(), BYTES, false);
            return new InPlaceSelfTest(device, host, memory, "addresses in memory that the device has allocated", true, program).result();
        } catch (HmmException e) {
            return InPlace.refuted(String.valueOf(e.getMessage()));
        }
    }

    private static DeviceProgram build(ClDevice device) {
        return device.build(Source.resource("in_place.cl"), "-cl-std=CL1.2");
    }

    /// @param byAddress refuted, or null if it was not tried
    private static InPlace either(@Nullable InPlace byAddress, InPlace wrapped) {
        return wrapped.proven() || byAddress == null ? wrapped : InPlace.refuted(wrapped.why() + "; by address: " + byAddress.why());
    }

    private static InPlace tried(ClDevice device, boolean byAddress) {
        // closed in this order from the end: memory before what it wraps
        try (AddressSpace space = new AddressSpace(BYTES, PageSize.DEFAULT);
                ClHostMemory all = device.wrapped(space.host().alias().address(), space.capacityBytes());
                DeviceMemory memory = byAddress ? new ClHostPointer(device, space.host().alias().address(), BYTES, true) : all.slice(0, BYTES);
                DeviceProgram program = build(device)) {
            MemorySegment host = space.host().alias().asSlice(0, BYTES);
            return new InPlaceSelfTest(device, host, memory, byAddress ? "its addresses" : "it wrapped as buffers", byAddress, program).result();
        } catch (HmmException e) {
            return InPlace.refuted(String.valueOf(e.getMessage()));
        }
    }

    private InPlace result() {
        String problem = problem();
        return problem != null ? InPlace.refuted(problem) : measured();
    }

    private @Nullable String problem() {
        for (int round = 0; round < ROUNDS; round++) {
            String problem = afterOneAnother(round);
            if (problem != null) {
                return problem;
            }
        }
        String problem = null;
        for (int i = 0; i < PATIENCE.length || (hostSlept && i < MOST_TRIES); i++) {
            problem = atTheSameTime(PATIENCE[Math.min(i, PATIENCE.length - 1)]);
            if (problem == null) {
                return null;
            }
        }
        return problem;
    }

    private @Nullable String afterOneAnother(int round) {
        for (long i = round; i < WORDS; i += STRIDE) {
            host.setAtIndex(ValueLayout.JAVA_LONG, i, written(round, i));
        }
        change(tried).await();
        for (long i = round; i < WORDS; i += STRIDE) {
            long seen = host.getAtIndex(ValueLayout.JAVA_LONG, i);
            if (seen != written(round, i) * FACTOR + i) {
                return String.format(Locale.ROOT,
                        "it works in a copy of the host's memory: in round %d the host sees 0x%x at offset %d, %s",
                        round, seen, i * Long.BYTES, seen == written(round, i) ? "as it wrote it itself"
                                : "which is not what the kernel made of what the host wrote");
            }
        }
        return null;
    }

    private static long written(int round, long i) {
        return (i + 1) * 31 + round;
    }

    private Completion change(DeviceMemory memory) {
        return change.launch(List.of(new KernelArgument.Memory(memory), value(FACTOR)), NDRange.of(WORDS).local(GROUP));
    }

    private static KernelArgument value(long bits) {
        return new KernelArgument.Value(MemorySegment.ofArray(new long[] {bits}));
    }

    private static KernelArgument value(int bits) {
        return new KernelArgument.Value(MemorySegment.ofArray(new int[] {bits}));
    }

    /// Words 0, 2, 4 and 6 of the line are the kernel's, the others the host's.
    private @Nullable String atTheSameTime(int patience) {
        MemorySegment line = host.asSlice(0, PageSize.MIN_BYTES);
        line.fill((byte) 0);
        long began = System.nanoTime();
        long longestNanos = 0; // from one look of the host to the next
        Completion talk = turns.launch(List.of(new KernelArgument.Memory(tried), value(TURNS), value(patience)),
                NDRange.of(1));
        try {
            int seen = 0;
            long lookedAt = began;
            while (seen < TURNS && !talk.isDone()) {
                long now = System.nanoTime();
                longestNanos = Math.max(longestNanos, now - lookedAt);
                lookedAt = now;
                int turn = (int) WORD.getVolatile(line, 0L);
                if (turn != seen) {
                    seen = turn;
                    WORD.setVolatile(line, 3L * Integer.BYTES, 5 * turn);
                    WORD.setVolatile(line, 5L * Integer.BYTES, 7 * turn);
                    WORD.setVolatile(line, (long) Integer.BYTES, turn);
                }
                Thread.onSpinWait();
            }
            long now = System.nanoTime();
            hostSlept = Math.max(longestNanos, now - lookedAt) > (now - began) / SHARE;
        } finally {
            talk.await();
        }
        int[] all = line.asSlice(0, 6L * Integer.BYTES).toArray(ValueLayout.JAVA_INT);
        int[] right = {TURNS, TURNS, 3 * TURNS, 5 * TURNS, TURNS, 7 * TURNS};
        if (Arrays.equals(all, right)) {
            return null;
        }
        int looks = line.getAtIndex(ValueLayout.JAVA_INT, 6);
        return all[4] < TURNS && looks < patience ? String.format(Locale.ROOT, "its kernels end loops early, so the host could not answer in time: looks=%d of %d, turns answered=%d of %d", looks, patience, all[4], TURNS)
                : String.format(Locale.ROOT, "host and kernel do not see each other's words while it runs: turns answered=%d of %d, words=%s", all[4], TURNS, Arrays.toString(all));
    }

    private InPlace measured() {
        try (DeviceMemory own = device.allocate(BYTES)) {
            long ownNanos = Long.MAX_VALUE;
            long inPlaceNanos = Long.MAX_VALUE;
            for (int i = 0; i < TIMINGS; i++) { // in turns
                ownNanos = Math.min(ownNanos, nanos(own));
                inPlaceNanos = Math.min(inPlaceNanos, nanos(tried));
            }
            double slowdown = (double) inPlaceNanos / Math.max(1, ownNanos);
            return new InPlace(true, String.format(Locale.ROOT,
                    "proven by kernels, which get %s; they take %.2f times as long there as in memory of the device's own",
                    what, slowdown), byAddress, slowdown);
        }
    }

    private long nanos(DeviceMemory memory) {
        long start = System.nanoTime();
        change(memory).await();
        return System.nanoTime() - start;
    }
}
