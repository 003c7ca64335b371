package io.github.hmm4j.conformance;

import io.github.hmm4j.Access;
import io.github.hmm4j.Arg;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.HmmBuilder;
import io.github.hmm4j.Launch;
import io.github.hmm4j.error.KernelEnqueuedError;
import io.github.hmm4j.error.SystemCallFailedException;
import io.github.hmm4j.mirror.Subscription;
import io.github.hmm4j.space.Protection;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.InvocationTargetException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// A program that lets each allocation, or each system call, of everything that a heap does fail in turn, and looks each time whether every byte, every lock and the books of the
/// frames are right.
///
/// Where no allocation works any more, those of code that calls a driver do: whoever must wait for a command waits until there is memory for it, which would be for ever.
///
/// Arguments: a [Backend], `windows`, `aperture` or `faulting`, an [AllocationFaults.Mode]. Last line: `done name=number ...`.
public final class AllocationWalk {

    private static final int PAGE_BYTES = 4096;
    private static final long HEAP_BYTES = 2L << 20; // starts at a multiple of that
    private static final int PAGES = 4; // of each of three arrays, of which two fill the device
    private static final long PATIENCE_SECONDS = 20;
    private static final int ONE_IN = 20;

    private final Backend backend;
    private final boolean windows;
    private final boolean faulting;
    private final AllocationFaults.Mode mode;
    private final ExecutorService others = Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().name("looks").factory());
    private final @Nullable NativeCallFaults nativeCalls;
    private int failed;
    private @Nullable Throwable struck; // what the last operation ended with

    private AllocationWalk(Backend backend, String frames, AllocationFaults.Mode mode) {
        this.backend = backend;
        windows = frames.equals("windows");
        faulting = frames.equals("faulting");
        this.mode = mode;
        nativeCalls = mode == AllocationFaults.Mode.NATIVE_CALL ? new NativeCallFaults(Path.of(System.getProperty("hmm.test.failingCalls"))) : null;
    }

    public static void main(String[] args) throws ReflectiveOperationException {
        if (!ClassLoader.getSystemClassLoader().equals(AllocationWalk.class.getClassLoader())) {
            new AllocationWalk(Backend.valueOf(args[0]), args[1], AllocationFaults.Mode.valueOf(args[2])).run();
            System.exit(0); // what was to look may hang
        }
        try {
            new FaultyCode(!args[2].equals(AllocationFaults.Mode.FROM_THEN_ON.name())).loadClass(AllocationWalk.class.getName()).getMethod("main", String[].class).invoke(null, (Object) args);
        } catch (InvocationTargetException e) {
            e.getCause().printStackTrace();
            System.exit(1);
        }
    }

    // ---- what is done

    private interface Operation {
        /// Returns a launch to be awaited, a view to be closed, or null.
        @Nullable Object run(World world);
    }

    private interface Effect {
        void on(World world);
    }

    /// @param prepare makes the situation
    /// @param effect  what the operation does to the arrays
    private record Case(String name, Effect prepare, Operation operation, Effect effect) {}

    /// Three arrays, and what is in them.
    private static final class World {

        final Rig rig;
        WalkProgram.Numbers a;
        WalkProgram.Numbers b;
        WalkProgram.Numbers c;
        @Nullable MemorySegment more;
        final List<Subscription> subscriptions = new ArrayList<>();

        World(Rig rig) {
            this.rig = rig;
            a = numbers(1000);
            b = numbers(2000);
            c = numbers(3000);
        }

        private WalkProgram.Numbers numbers(int start) {
            MemorySegment managed = rig.ramp(PAGES, start);
            return new WalkProgram.Numbers(managed, Rig.rampOf(managed.byteSize(), start));
        }

        List<WalkProgram.Numbers> all() {
            return List.of(a, b, c);
        }

        void subscribe() {
            for (WalkProgram.Numbers numbers : all()) {
                subscriptions.add(rig.heap.mirror(numbers.managed(), new ReentrantLock(), _ -> { }));
            }
        }

        MemorySegment part(WalkProgram.Numbers numbers, int first, int count) {
            return rig.page(numbers.managed(), first, count);
        }

        void add(WalkProgram.Numbers numbers, int first, int count, int delta) {
            rig.launchAdd(rig.device(0), part(numbers, first, count), delta).await();
            added(numbers, first, count, delta);
        }

        void added(WalkProgram.Numbers numbers, int first, int count, int delta) {
            int perPage = PAGE_BYTES / 4;
            numbers.replace(first * perPage, count * perPage, i -> numbers.expected()[i] + delta);
        }

        void zero(WalkProgram.Numbers numbers) {
            Arrays.fill(numbers.expected(), 0);
        }

        void copied(WalkProgram.Numbers from, WalkProgram.Numbers to) {
            System.arraycopy(from.expected(), 0, to.expected(), 0, from.expected().length);
        }
    }

    private static final Effect NOTHING = _ -> { };

    private List<Case> cases() {
        List<Case> cases = new ArrayList<>();
        cases.add(new Case("launch on host pages", NOTHING, w -> w.rig.launchAdd(w.rig.device(0), w.a.managed(), 5), w -> w.added(w.a, 0, PAGES, 5)));
        cases.add(new Case("launch with an output", NOTHING, w -> w.rig.launchCopy(w.rig.device(0), Arg.in(w.a.managed()), Arg.out(w.b.managed())), w -> w.copied(w.a, w.b)));
        cases.add(new Case("launch with part of an output", NOTHING, w -> w.rig.launchFill(w.rig.device(0), Arg.out(w.b.managed().asSlice(512, 4096)), 7),
                w -> w.b.replace(128, 1024, i -> i - 128 + 7)));
        cases.add(new Case("launch where everything is", w -> w.add(w.a, 0, PAGES, 1), w -> w.rig.launchAdd(w.rig.device(0), w.a.managed(), 5), w -> w.added(w.a, 0, PAGES, 5)));
        cases.add(new Case("launch that evicts", w -> {
            w.add(w.a, 0, PAGES, 1);
            w.add(w.b, 0, PAGES, 1);
        }, w -> w.rig.launchAdd(w.rig.device(0), w.c.managed(), 5), w -> w.added(w.c, 0, PAGES, 5)));
        cases.add(new Case("launch that evicts copies", w -> {
            w.rig.launchCopy(w.rig.device(0), Arg.in(w.a.managed()), Arg.out(w.b.managed())).await();
            w.copied(w.a, w.b);
        }, w -> w.rig.launchAdd(w.rig.device(0), w.c.managed(), 5), w -> w.added(w.c, 0, PAGES, 5)));
        cases.add(new Case("launch that moves a page within the device", w -> {
            w.add(w.a, 0, PAGES, 1);
            w.add(w.c, 2, 1, 1);
        }, w -> w.rig.launchAdd(w.rig.device(0), w.part(w.c, 1, 3), 5), w -> w.added(w.c, 1, 3, 5)));
        cases.add(new Case("launch on pages half there", w -> w.add(w.a, 1, 2, 1), w -> w.rig.launchAdd(w.rig.device(0), w.a.managed(), 5), w -> w.added(w.a, 0, PAGES, 5)));
        cases.add(new Case("read view of pages of a device", w -> w.add(w.a, 1, 2, 1), w -> w.rig.heap.view(w.a.managed(), Access.READ), NOTHING));
        cases.add(new Case("write view of pages of a device", w -> w.add(w.a, 1, 2, 1), w -> w.rig.heap.view(w.a.managed(), Access.WRITE), NOTHING));
        cases.add(new Case("write view of pages that are shared", w -> {
            w.rig.launchCopy(w.rig.device(0), Arg.in(w.a.managed()), Arg.out(w.b.managed())).await();
            w.copied(w.a, w.b);
        }, w -> w.rig.heap.view(w.a.managed(), Access.WRITE), NOTHING));
        cases.add(new Case("shared view", w -> w.add(w.a, 0, PAGES, 1), w -> w.rig.heap.sharedView(w.a.managed(), Access.WRITE), NOTHING));
        if (backend.isTransparent()) {
            cases.add(move("load from pages of a device", w -> w.add(w.a, 1, 2, 1), w -> w.rig.read(w.a.managed())));
            cases.add(new Case("store to pages of a device", w -> w.add(w.a, 1, 2, 1), w -> {
                w.rig.writeRamp(w.a.managed(), 1000);
                return null;
            }, w -> w.a.replace(0, w.a.expected().length, i -> 1000 + i)));
            cases.add(new Case("pin", w -> w.add(w.a, 0, PAGES, 1), w -> w.rig.heap.pin(w.a.managed(), Access.WRITE), NOTHING));
        }
        if (!faulting) {
            cases.add(move("prefetch", NOTHING, w -> w.rig.heap.prefetch(w.a.managed(), w.rig.device(0))));
            cases.add(move("migrate", w -> w.add(w.a, 1, 2, 1), w -> w.rig.heap.migrate(w.a.managed(), w.rig.device(0))));
        }
        cases.add(move("quota", w -> w.add(w.a, 1, 2, 1), w -> w.rig.heap.quota(w.a.managed(), w.rig.device(0), HEAP_BYTES)));
        cases.add(move("prefetch to the host", w -> w.add(w.a, 0, PAGES, 1), w -> w.rig.heap.prefetchHost(w.a.managed())));
        cases.add(move("evict all", w -> {
            w.add(w.a, 0, PAGES, 1);
            w.rig.launchCopy(w.rig.device(0), Arg.in(w.a.managed()), Arg.out(w.b.managed())).await();
            w.copied(w.a, w.b);
        }, w -> w.rig.hmm.evictAll(w.rig.device(0))));
        cases.add(move("protect", w -> w.add(w.a, 1, 2, 1), w -> w.rig.heap.protect(w.a.managed(), Protection.READ)));
        cases.add(move("protect from everything", w -> w.add(w.a, 1, 2, 1), w -> w.rig.heap.protect(w.a.managed(), Protection.NONE)));
        cases.add(new Case("discard", w -> w.add(w.a, 1, 2, 1), w -> {
            w.rig.heap.discard(w.a.managed());
            return null;
        }, w -> w.zero(w.a)));
        cases.add(move("allocate", NOTHING, w -> w.more = w.rig.pages(PAGES)));
        cases.add(free("free host pages", NOTHING));
        cases.add(free("free pages of a device", w -> w.add(w.a, 1, 2, 1)));
        cases.add(new Case("free some pages", w -> w.add(w.a, 1, 3, 1), w -> {
            w.rig.heap.free(w.part(w.a, 1, 2));
            return null;
        }, w -> {
            w.rig.heap.free(w.part(w.a, 0, 1));
            w.rig.heap.free(w.part(w.a, 3, 1));
            w.a = w.numbers(0);
        }));
        cases.add(moveRegion("move host pages", NOTHING));
        cases.add(moveRegion("move pages of a device", w -> w.add(w.a, 1, 3, 1)));
        cases.add(moveRegion("move protected pages", w -> w.rig.heap.protect(w.part(w.a, 1, 2), Protection.READ)));
        return cases;
    }

    private static Case move(String name, Effect prepare, Effect what) {
        return new Case(name, prepare, w -> {
            what.on(w);
            return null;
        }, NOTHING);
    }

    private static Case free(String name, Effect prepare) {
        return new Case(name, prepare, w -> {
            w.rig.heap.free(w.a.managed());
            return null;
        }, w -> w.a = w.numbers(0));
    }

    private static Case moveRegion(String name, Effect prepare) {
        return new Case(name, prepare, w -> {
            w.a = new WalkProgram.Numbers(w.rig.heap.move(w.a.managed()), w.a.expected());
            return null;
        }, NOTHING);
    }

    // ---- what is looked at

    private void run() {
        try (Rig rig = new Rig(builder())) {
            for (Case one : cases()) {
                System.out.printf("%s: up to number %d, %d failed so far%n", one.name, walk(rig, one), failed);
            }
        }
        if (nativeCalls == null) {
            walkOpening();
            walkClosing();
        }
        System.out.printf("done failed=%d%n", failed);
    }

    private HmmBuilder builder() {
        HmmBuilder builder = backend.builder(1).pageSize(PAGE_BYTES).heap(HEAP_BYTES).budget(windows ? 2L * PAGES * PAGE_BYTES : HEAP_BYTES);
        return faulting ? builder.deviceFaults() : builder;
    }

    /// Returns how far it went. Where all clean-up must do without memory somebody subscribes as well, who is told of everything.
    private int walk(Rig rig, Case one) {
        boolean mirrored = mode == AllocationFaults.Mode.FROM_THEN_ON;
        attempt(rig, one, mirrored, Integer.MAX_VALUE); // so that classes are loaded and lambdas linked
        int nth = 1;
        while (attempt(rig, one, mirrored, nth) >= nth) {
            nth++;
        }
        return nth;
    }

    /// Returns how many allocations or calls there were.
    private int attempt(Rig rig, Case one, boolean mirrored, int nth) {
        try {
            World world = new World(rig);
            one.prepare.on(world);
            if (mirrored) {
                world.subscribe();
            }
            int allocations = failing(world, one, nth);
            look(() -> {
                assertRight(world);
                return null;
            });
            return allocations;
        } catch (Throwable e) {
            AssertionError wrong = new AssertionError("%s, number %d failed".formatted(one.name, nth), e);
            if (struck != null) {
                wrong.addSuppressed(struck);
            }
            throw wrong;
        }
    }

    private int failing(World world, Case one, int nth) throws Exception {
        Object result = null;
        Throwable error = null;
        int allocations;
        arm(world, nth);
        try {
            result = one.operation.run(world);
        } catch (OutOfMemoryError | SystemCallFailedException | InternalError e) { // the last is what a touch ends with
            error = e;
        } finally {
            allocations = disarm();
        }
        failed += error == null ? 0 : 1;
        struck = error;
        if (error == null) {
            one.effect.on(world);
        } else if (one.name.startsWith("launch")) {
            boolean ran = effectIfItRan(world, one);
            if (ran != error instanceof KernelEnqueuedError && error instanceof OutOfMemoryError) {
                throw new AssertionError("whether the kernel ran: " + ran, error);
            }
        }
        if (result instanceof Launch launch) {
            launch.await();
        } else if (result instanceof AutoCloseable view) {
            view.close();
        }
        return allocations;
    }

    /// What is enqueued runs, also if the launch could not be told of any more. The device does not tell whether it was, so what is there must tell: all of it or nothing.
    private boolean effectIfItRan(World world, Case one) {
        if (faulting) {
            world.rig.hmm.evictAll(world.rig.device(0)); // a touch waits for no kernel
        }
        List<int[]> before = world.all().stream().map(numbers -> numbers.expected().clone()).toList();
        one.effect.on(world);
        for (WalkProgram.Numbers numbers : world.all()) {
            if (!Arrays.equals(world.rig.read(numbers.managed()), numbers.expected())) {
                for (int i = 0; i < before.size(); i++) {
                    System.arraycopy(before.get(i), 0, world.all().get(i).expected(), 0, before.get(i).length);
                }
                return false;
            }
        }
        return true;
    }

    private void arm(World world, int nth) {
        if (nativeCalls == null) {
            AllocationFaults.arm(nth, mode);
        } else {
            nativeCalls.arm(world.a.managed().address() & -HEAP_BYTES, HEAP_BYTES, nth);
        }
    }

    private int disarm() {
        return nativeCalls == null ? AllocationFaults.disarm() : nativeCalls.disarm();
    }

    /// Looks from another thread, which gets no lock that somebody has forgotten.
    private void look(Callable<@Nullable Void> what) throws Exception {
        try {
            others.submit(what).get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw new AssertionError(e.getCause());
        } catch (TimeoutException e) {
            StringBuilder stacks = new StringBuilder();
            for (Map.Entry<Thread, StackTraceElement[]> thread : Thread.getAllStackTraces().entrySet()) {
                stacks.append(thread.getKey()).append('\n');
                for (StackTraceElement frame : thread.getValue()) {
                    stacks.append("    ").append(frame).append('\n');
                }
            }
            throw new AssertionError("somebody waits for ever:\n" + stacks, e);
        }
    }

    private void assertRight(World world) {
        Rig rig = world.rig;
        for (Subscription subscription : world.subscriptions) {
            subscription.readBegin();
            subscription.close();
        }
        for (WalkProgram.Numbers numbers : world.all()) {
            rig.heap.protect(numbers.managed(), Protection.READ_WRITE);
            Rig.assertSame(rig.read(numbers.managed()), numbers.expected());
        }
        world.add(world.b, 0, PAGES, 1);
        rig.launchCopy(rig.device(0), world.a.managed(), world.c.managed()).await(); // takes all of the budget
        world.copied(world.a, world.c);
        for (WalkProgram.Numbers numbers : world.all()) {
            Rig.assertSame(rig.read(numbers.managed()), numbers.expected());
            rig.heap.free(numbers.managed());
        }
        if (world.more != null) {
            Rig.assertZeros(rig.read(world.more));
            rig.heap.free(world.more);
        }
        if (rig.heap.usedBytes() != 0 || (windows && rig.device(0).usedBytes() != 0)) {
            throw new AssertionError("after all was freed, bytes=" + rig.heap.usedBytes() + " are in use, on the device=" + rig.device(0).usedBytes());
        }
        if (!rig.heap.smaps().isEmpty()) {
            throw new AssertionError("after all was freed, there are regions still: " + rig.heap.smaps());
        }
    }

    /// Of a heap that could not be opened nothing is left.
    private void walkOpening() {
        int nth = 1;
        boolean struck = true;
        for (; struck; nth = next(nth)) {
            HmmBuilder builder = builder();
            Hmm opened = null;
            Throwable why = null;
            AllocationFaults.arm(nth, mode);
            try {
                opened = builder.open();
            } catch (OutOfMemoryError | SystemCallFailedException e) {
                failed++;
                why = e;
            } finally {
                struck = AllocationFaults.disarm() >= nth;
            }
            if (opened != null) {
                opened.close();
            }
            if (isThereAHeap()) {
                throw new AssertionError("opening, number %d failed: something of the heap is left".formatted(nth), why);
            }
        }
        System.out.printf("opening: up to number %d, %d failed so far%n", nth, failed);
    }

    /// A driver takes its time to open, and far more is allocated than a heap does: of what comes late, only one in so many is failed.
    private int next(int nth) {
        return mode == AllocationFaults.Mode.SYSTEM_CALL ? nth + 1 : nth + 1 + nth / ONE_IN;
    }

    private static boolean isThereAHeap() {
        try (Stream<String> maps = Files.lines(Path.of("/proc/self/maps")); Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
            return maps.anyMatch(line -> line.contains("hmm-heap")) || files.anyMatch(AllocationWalk::isHeap);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean isHeap(Path descriptor) {
        try {
            String target = Files.readSymbolicLink(descriptor).toString();
            return target.contains("hmm-heap") || target.contains("userfaultfd"); // the latter is the native part's
        } catch (IOException e) {
            return false; // the list's own, which is closed
        }
    }

    /// A heap that could not be closed is closed the next time, and nothing is left of it.
    private void walkClosing() {
        int nth = 1;
        boolean struck = true;
        for (; struck; nth = next(nth)) {
            try (Rig rig = new Rig(builder())) {
                World world = new World(rig);
                world.add(world.a, 0, PAGES, 1);
                world.subscribe();
                AllocationFaults.arm(nth, mode);
                try {
                    rig.hmm.close();
                } catch (OutOfMemoryError | SystemCallFailedException e) {
                    failed++;
                } finally {
                    struck = AllocationFaults.disarm() >= nth;
                }
            } catch (RuntimeException | Error e) {
                throw new AssertionError("closing, number %d failed".formatted(nth), e);
            }
        }
        System.out.printf("closing: up to number %d, %d failed so far%n", nth, failed);
    }
}
