package io.github.hmm4j.conformance;

import io.github.hmm4j.OpenClDevices;
import io.github.hmm4j.device.CopyEngine;
import io.github.hmm4j.device.CopyRun;
import io.github.hmm4j.device.DeviceInfo;
import io.github.hmm4j.device.DeviceMemory;
import io.github.hmm4j.device.opencl.ClApi;
import io.github.hmm4j.device.opencl.ClBinding;
import io.github.hmm4j.device.opencl.ClDevice;
import io.github.hmm4j.device.opencl.ClDeviceId;
import io.github.hmm4j.device.opencl.ClOptions;
import io.github.hmm4j.device.opencl.ProgramCache;
import io.github.hmm4j.device.opencl.ScatterMode;
import io.github.hmm4j.emulated.EmulatedGpu;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.space.HostBlock;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.InvocationTargetException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// A program that lets each allocation in turn fail, with those of the clean-up behind it, while a device is opened, while it makes what copies, kernels and native code need, and while it is closed. Once
/// the device is closed its driver has nothing left. Runs on an emulated GPU, which knows what there is; without a heap, so that there is time for each of them.
///
/// Last line: `done failed=number`.
public final class DeviceAllocationWalk {

    private static final int PAGE_BYTES = 4096;
    private static final int PIECES = 4; // that lie apart
    private static final int EACH = 256;
    private static final int ONE_IN = 16;
    private static final int BYTES = 2 * PIECES * PAGE_BYTES;

    private static final Source SOURCE = Source.text("one.cl", "kernel void one(global int *a) { a[0] = 1; }");

    private final ClApi api = OpenClDevices.api(ClBinding.LWJGL);
    private final ClDeviceId id = OpenClDevices.list(ClBinding.LWJGL).getFirst();
    private final Path kept;
    private int failed;
    private @Nullable Throwable last; // that was thrown

    private DeviceAllocationWalk(Path kept) {
        this.kept = kept;
    }

    public static void main(String[] args) throws IOException, ReflectiveOperationException {
        if (!ClassLoader.getSystemClassLoader().equals(DeviceAllocationWalk.class.getClassLoader())) {
            Path kept = Files.createTempDirectory("hmm-programs");
            try {
                new DeviceAllocationWalk(kept).run();
            } finally {
                clear(kept);
                Files.delete(kept);
            }
            return;
        }
        try {
            new FaultyCode(true).loadClass(DeviceAllocationWalk.class.getName()).getMethod("main", String[].class).invoke(null, (Object) args);
        } catch (InvocationTargetException e) {
            e.getCause().printStackTrace();
            System.exit(1);
        }
    }

    private static void clear(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// @param ends whether what was opened is closed, so that the next needs another
    private record Case(String name, boolean ends, Consumer<Turn> prepare, Consumer<Turn> operation) {

        Case(String name, Consumer<Turn> prepare, Consumer<Turn> operation) {
            this(name, false, prepare, operation);
        }
    }

    /// One device, and what a case makes of it.
    private final class Turn implements AutoCloseable {

        private final Arena arena = Arena.ofConfined();
        private final MemorySegment host = arena.allocate(BYTES, PAGE_BYTES);
        private @Nullable ClDevice device;
        private @Nullable CopyEngine engine;
        private @Nullable DeviceMemory memory;
        private @Nullable HostBlock shared;

        void open(ProgramCache programs) {
            device = ClDevice.open(api, id, ClOptions.DEFAULTS.scatter(ScatterMode.KERNEL).programs(programs));
        }

        void open() {
            open(ProgramCache.NONE);
        }

        void openChosen() {
            open();
            device().copyChoice();
        }

        void openToCopy() {
            openChosen();
            engine = device().copyEngine(host.address(), host.byteSize());
            memory = device().allocate(BYTES);
        }

        ClDevice device() {
            return required(device);
        }

        void copy(boolean toDevice) {
            List<CopyRun> runs = new ArrayList<>();
            for (int i = 0; i < PIECES; i++) {
                runs.add(new CopyRun(host.address() + 2L * i * PAGE_BYTES, required(memory), 2L * i * PAGE_BYTES, PAGE_BYTES));
            }
            (toDevice ? required(engine).toDevice(runs) : required(engine).toHost(runs)).await();
        }

        void useAll() {
            openToCopy();
            copy(true);
            copy(false);
            device().nativeHandles();
            device().nativeGather();
            device().loan(BYTES);
            compile(this);
        }

        @Override
        public void close() {
            if (shared != null) {
                shared.close();
            }
            if (device != null) {
                device.close();
            }
            arena.close();
        }
    }

    private static <T> T required(@Nullable T made) {
        if (made == null) {
            throw new IllegalStateException("not there yet");
        }
        return made;
    }

    private static void compile(Turn t) {
        t.device().build(SOURCE, "").kernel("one");
    }

    private List<Case> cases() {
        List<Case> cases = new ArrayList<>(List.of(
                new Case("opening", true, _ -> { }, Turn::open),
                new Case("memory", Turn::open, t -> t.device().allocate(BYTES).slice(0, BYTES / 2)),
                new Case("memory for a moment", Turn::open, t -> t.device().scratch(BYTES).close()),
                new Case("a loan", Turn::open, t -> t.device().loan(BYTES)),
                new Case("what native code needs", Turn::openChosen, t -> t.device().nativeHandles()),
                new Case("a kernel for native code", Turn::openChosen, t -> t.device().nativeGather()),
                new Case("copies to the device, of what lies apart", Turn::openToCopy, t -> t.copy(true)),
                new Case("copies home", Turn::openToCopy, t -> t.copy(false)),
                new Case("closing what copies", true, Turn::useAll, t -> required(t.engine).close()),
                new Case("closing", true, Turn::useAll, t -> t.device().close()),
                new Case("a program", Turn::open, DeviceAllocationWalk::compile),
                new Case("a program that is kept", t -> {
                    clear(kept);
                    t.open(ProgramCache.in(kept));
                }, DeviceAllocationWalk::compile),
                new Case("a program that was kept", t -> t.open(ProgramCache.in(kept)), DeviceAllocationWalk::compile)));
        if (id.info().svm().contains(DeviceInfo.Svm.FINE_GRAIN_BUFFER)) {
            cases.add(new Case("a table", Turn::openChosen, t -> t.device().tableMemory(BYTES)));
            cases.add(new Case("shared memory", true, Turn::open, t -> {
                t.shared = t.device().allocateShared(BYTES);
                t.shared.close();
            }));
        }
        return cases;
    }

    private void run() {
        for (Case one : cases()) {
            try (Turn turn = new Turn()) { // so that classes are loaded and lambdas linked
                one.prepare.accept(turn);
                one.operation.accept(turn);
            }
            int nth = one.ends ? walkApart(one) : walkTogether(one);
            System.out.printf("%s: up to number %d, %d failed so far%n", one.name, nth, failed);
        }
        System.out.printf("done failed=%d%n", failed);
    }

    /// With one device for all numbers, since to open it takes longer than all of them. Returns how far it went.
    private int walkTogether(Case one) {
        int nth = 1;
        try (Turn turn = new Turn()) {
            one.prepare.accept(turn);
            while (isStruck(one, turn, nth)) {
                nth = next(nth);
            }
        }
        try {
            Rig.assertObjectsLeft(0, one.name);
        } catch (AssertionError e) {
            walkApart(one); // says which number it was
            throw e;
        }
        return nth;
    }

    /// With a device for each.
    private int walkApart(Case one) {
        int nth = 1;
        boolean struck = true;
        for (; struck; nth = next(nth)) {
            long before = EmulatedGpu.openObjects();
            try (Turn turn = new Turn()) {
                one.prepare.accept(turn);
                struck = isStruck(one, turn, nth);
            }
            try {
                Rig.assertObjectsLeft(before, one.name);
            } catch (AssertionError e) {
                throw new AssertionError("%s, number %d failed".formatted(one.name, nth), last == null ? e : last);
            }
        }
        return nth;
    }

    /// Most come early; of what comes late, which is more of the same, only one in so many is failed.
    private static int next(int nth) {
        return nth < EACH ? nth + 1 : nth + nth / ONE_IN;
    }

    private boolean isStruck(Case one, Turn turn, int nth) {
        boolean struck;
        AllocationFaults.arm(nth, AllocationFaults.Mode.FOR_A_WHILE);
        try {
            one.operation.accept(turn);
        } catch (OutOfMemoryError e) {
            last = e;
            failed++;
        } finally {
            struck = AllocationFaults.disarm() >= nth;
        }
        return struck;
    }
}
