package io.github.hmm4j.conformance;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.Access;
import io.github.hmm4j.Arg;
import io.github.hmm4j.HmmDevice;
import io.github.hmm4j.Launch;
import io.github.hmm4j.Residency;
import io.github.hmm4j.TableOracle;
import io.github.hmm4j.conformance.ModelRegion.Slice;
import io.github.hmm4j.error.AccessViolationException;
import io.github.hmm4j.error.DeviceMemoryExhaustedException;
import io.github.hmm4j.error.QuotaExceededException;
import io.github.hmm4j.migrate.MigrationReport;
import io.github.hmm4j.migrate.PageOutcome;
import io.github.hmm4j.mirror.PlacementMode;
import io.github.hmm4j.mirror.SnapshotCode;
import io.github.hmm4j.pager.HostPin;
import io.github.hmm4j.pager.HostView;
import io.github.hmm4j.space.Protection;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.function.IntBinaryOperator;
import java.util.stream.LongStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;

/// Does random things with regions of its own, in one thread, and knows what must come of each: the bytes, the refusal, the outcome.
///
/// Views stay open across steps and launches in flight, so that each operation meets them. Where kernels fault nobody waits for one that uses a page, but who frees it, forbids it, moves it or awaits the launch:
/// there what touches pages or uses them on another device awaits launches first, and all else meets them.
final class RandomHeapUser {

    private static final int MAX_REGIONS = 8;
    private static final int MAX_REGION_PAGES = 12;
    private static final int MAX_OPEN_VIEWS = 4;

    private record OpenView(HostView view, Slice slice, boolean shared) {}

    /// A kernel argument, as the model sees it.
    private record Use(Slice slice, boolean writes) {}

    private final Rig rig;
    private final boolean alone;
    private final SplittableRandom random;
    private final int pageBytes;
    private final boolean faulting;
    private final int leastQuotaPages;
    private final @Nullable PagedKernels paged; // where kernels can go through a page table
    private final Map<HmmDevice, TableOracle> tables = new HashMap<>(); // of what only this user launches
    private final List<ModelRegion> regions = new ArrayList<>();
    private final List<OpenView> views = new ArrayList<>();
    private final List<Launch> launches = new ArrayList<>();
    private @Nullable HmmDevice launchedOn; // the last one
    private String doing = "nothing yet";
    private volatile byte loaded;

    /// @param alone whether nobody else uses the heap, so that no race can be lost
    RandomHeapUser(Rig rig, long seed, boolean alone) {
        this.rig = rig;
        this.alone = alone;
        random = new SplittableRandom(seed);
        pageBytes = rig.pageBytes();
        faulting = rig.isFaulting();
        leastQuotaPages = faulting ? Rig.leastFaultingPages() : 1;
        paged = rig.isPaging() ? new PagedKernels(rig) : null;
        if (paged != null && alone) {
            rig.hmm.devices().forEach(device -> tables.put(device, new TableOracle(rig.hmm, device)));
        }
    }

    /// What the last step was about, for the message of a failure.
    String doing() {
        return doing;
    }

    void step() {
        if (regions.isEmpty()) {
            allocate();
        } else {
            anyStep();
        }
        tables.values().forEach(TableOracle::nothingLaunched); // else it has looked already
    }

    private void anyStep() {
        switch (random.nextInt(paged == null ? 39 : 45)) {
            case 0, 1 -> allocate();
            case 2 -> freeAll();
            case 3 -> freePart();
            case 4 -> protect(anySlice());
            case 5, 6, 7 -> touchOrOpenView(anySlice(), random.nextBoolean());
            case 8, 9 -> openOverlappingView();
            case 10, 11 -> closeAView();
            case 12, 13 -> useOpenViews();
            case 14, 15, 16 -> copy();
            case 17, 18, 19 -> fill();
            case 20, 21, 22 -> add();
            case 23 -> prefetch(anySlice());
            case 24 -> migrate(anySlice());
            case 25 -> prefetchHost(anySlice());
            case 26 -> discard(anySlice());
            case 27 -> move();
            case 28 -> evictAll();
            case 29 -> awaitLaunches();
            case 30 -> look(anySlice());
            case 31, 32, 33 -> copyWithin(anySlice(), anySlice());
            case 34 -> fillWithin(anySlice());
            case 35 -> pin(anySlice(), random.nextBoolean());
            case 36 -> lease(anySlice(), any(List.of(Arg.Intent.IN, Arg.Intent.IN_OUT)));
            case 37 -> quota(any(regions));
            case 38 -> {
                place(any(regions));
                checkRegion(any(regions));
            }
            default -> launchPaged();
        }
    }

    /// A step after which nothing is open, so that another thread can take the next.
    void stepWithoutOpenViews() {
        step();
        while (!views.isEmpty()) {
            closeAView();
        }
    }

    // ---- regions

    private void allocate() {
        if (regions.size() >= MAX_REGIONS) {
            return;
        }
        int mostPages = faulting && random.nextInt(4) == 0 ? leastQuotaPages + 30 : MAX_REGION_PAGES; // larger than a quota
        int size = 4 * (1 + random.nextInt(mostPages * pageBytes / 4));
        doing = "allocate " + size;
        ModelRegion region = ModelRegion.empty(rig.heap.allocate(size, 4), pageBytes);
        regions.add(region);
        place(region);
    }

    /// Some otherwise than the device has it by itself.
    private void place(ModelRegion region) {
        if (rig.isInPlace() && random.nextInt(3) == 0) {
            rig.heap.place(region.handle, any(rig.hmm.devices()), any(List.of(PlacementMode.values())));
        }
    }

    /// From one page on, or as many as there are and more.
    private void quota(ModelRegion region) {
        if (rig.isInPlace()) {
            return; // where some regions take nothing of a device
        }
        HmmDevice device = any(rig.hmm.devices());
        int most = leastQuotaPages + random.nextInt(MAX_REGION_PAGES);
        boolean none = random.nextInt(3) == 0;
        doing = "quota of " + (none ? "nothing" : most) + " on " + device.index() + " for " + name(region.all());
        rig.heap.quota(region.handle, device, none ? Long.MAX_VALUE : (long) most * pageBytes);
        boolean later = faulting && !launches.isEmpty(); // what a kernel was just given goes when its next page comes
        region.quotas.put(device.index(), none || device.hasAperture() || later ? Integer.MAX_VALUE : most);
        checkQuotas(region);
    }

    private void checkQuotas(ModelRegion region) {
        for (HmmDevice device : rig.hmm.devices()) {
            assertThat(rig.heap.residency(region.handle).heldOn(device) / pageBytes).isLessThanOrEqualTo(quotaOf(region, device));
        }
    }

    private static int quotaOf(ModelRegion region, HmmDevice device) {
        return region.quotas.getOrDefault(device.index(), Integer.MAX_VALUE);
    }

    private void freeAll() {
        ModelRegion region = any(regions);
        doing = "free " + name(region.all());
        if (refusedForViews(region.all(), () -> rig.heap.free(region.handle))) {
            return;
        }
        rig.heap.free(region.handle);
        regions.remove(region);
    }

    private void freePart() {
        ModelRegion region = any(regions);
        if (region.pages() < 2) {
            return;
        }
        int first = random.nextInt(region.pages());
        int end = first + 1 + random.nextInt(region.pages() - first);
        Slice part = region.pages(first, end);
        doing = "free part " + name(part);
        if (refusedForViews(region.all(), null) || part.length() == region.size()) {
            return; // what remains gets handles of its own, which open views do not have
        }
        rig.heap.free(part.segment());
        regions.remove(region);
        if (first > 0) {
            regions.add(region.part(0, first, region.pages(0, first).segment()));
        }
        if (end < region.pages()) {
            regions.add(region.part(end, region.pages(), region.pages(end, region.pages()).segment()));
        }
    }

    private void move() {
        ModelRegion region = any(regions);
        doing = "move " + name(region.all());
        if (refusedForViews(region.all(), () -> rig.heap.move(region.handle))) {
            return;
        }
        MemorySegment moved = rig.heap.move(region.handle);
        regions.remove(region);
        regions.add(region.part(0, region.pages(), moved));
    }

    private void protect(Slice slice) {
        Protection protection = any(List.of(Protection.values()));
        if (random.nextInt(3) > 0) {
            protection = Protection.READ_WRITE;
        }
        Protection wanted = protection;
        doing = "protect " + wanted + " " + name(slice);
        if (wanted != Protection.READ_WRITE && refusedForViews(slice, () -> rig.heap.protect(slice.segment(), wanted))) {
            return;
        }
        rig.heap.protect(slice.segment(), wanted);
        slice.protect(wanted);
    }

    private void discard(Slice slice) {
        awaitIfFaulting();
        doing = "discard " + name(slice);
        if (isViewed(slice)) {
            return; // refused only if a view holds a whole page of it; the scenarios have that
        }
        rig.heap.discard(slice.segment());
        slice.discard();
    }

    /// @param operation what must be refused, or null to ask only
    private boolean refusedForViews(Slice slice, Runnable operation) {
        if (!isViewed(slice)) {
            return false;
        }
        if (operation != null) {
            assertThatThrownBy(operation::run).isInstanceOf(IllegalStateException.class).hasMessageContaining("view");
        }
        return true;
    }

    private boolean isViewed(Slice slice) {
        return views.stream().anyMatch(open -> open.slice.sharesPageWith(slice));
    }

    // ---- loads and stores

    private void touchOrOpenView(Slice slice, boolean write) {
        if (!rig.isTransparent() || random.nextBoolean()) {
            openView(slice, write);
            return;
        }
        doing = (write ? "store to " : "load from ") + name(slice);
        for (int page = slice.firstPage(); page < slice.endPage(); page++) {
            Slice single = slice.region().pages(page, page + 1);
            if (!single.allows(write)) {
                assertThatThrownBy(() -> touchFirstByte(single, write)).isInstanceOf(InternalError.class);
                return;
            }
        }
        if (rig.isInPlace() || faulting) {
            awaitLaunches(); // a touch does not
        }
        compare(slice, slice.segment());
        if (write) {
            scribble(slice, slice.segment());
        }
    }

    private void touchFirstByte(Slice slice, boolean write) {
        if (write) {
            slice.segment().set(JAVA_BYTE, 0, (byte) 1);
        } else {
            loaded = slice.segment().get(JAVA_BYTE, 0);
        }
        Thread.yield(); // here at the latest the thread is told of the error
    }

    // ---- views

    private void openView(Slice slice, boolean write) {
        doing = (write ? "write " : "read ") + name(slice);
        boolean shared = random.nextInt(8) == 0;
        if (!slice.allows(write)) {
            assertViolation(List.of(new Use(slice, write)), () -> view(slice, write, shared).close());
            return;
        }
        HostView view = view(slice, write, shared);
        OpenView open = new OpenView(view, slice, shared);
        compare(open);
        if (write) {
            scribble(open);
        }
        if (views.size() < MAX_OPEN_VIEWS && random.nextInt(3) == 0) {
            views.add(open);
        } else {
            view.close();
        }
    }

    private HostView view(Slice slice, boolean write, boolean shared) {
        awaitIfFaulting();
        Access access = write ? Access.WRITE : Access.READ;
        return shared ? rig.heap.sharedView(slice.segment(), access) : rig.heap.view(slice.segment(), access);
    }

    private void openOverlappingView() {
        if (!views.isEmpty()) {
            Slice held = any(views).slice;
            int start = Math.max(0, held.start() - random.nextInt(2 * pageBytes));
            openView(held.region().slice(start, 1 + random.nextInt(held.region().size() - start)), random.nextBoolean());
        }
    }

    private void closeAView() {
        if (!views.isEmpty()) {
            close(views.remove(random.nextInt(views.size())));
        }
    }

    private void close(OpenView open) {
        doing = "close the view of " + name(open.slice);
        compare(open);
        open.view.close();
    }

    /// What launches with these uses would wait for, since another thread might close it.
    private void closeSharedViews(List<Use> uses) {
        List<OpenView> waitedFor = views.stream().filter(open -> open.shared && uses.stream().anyMatch(use -> holds(open, use))).toList();
        views.removeAll(waitedFor);
        waitedFor.forEach(this::close);
    }

    private void useOpenViews() {
        for (OpenView open : views) {
            doing = "use the view of " + name(open.slice);
            if (open.view.isWrite()) {
                scribble(open);
            }
        }
        views.forEach(this::compare);
    }

    private void scribble(OpenView open) {
        scribble(open.slice, open.view.segment());
    }

    private void scribble(Slice slice, MemorySegment segment) {
        int start = random.nextInt(slice.length());
        int end = Math.min(slice.length(), start + 1 + random.nextInt(3 * pageBytes));
        byte[] written = new byte[end - start];
        random.nextBytes(written);
        MemorySegment.copy(MemorySegment.ofArray(written), 0, segment, start, written.length);
        System.arraycopy(written, 0, slice.region().bytes, slice.start() + start, written.length);
    }

    private void compare(OpenView open) {
        compare(open.slice, open.view.segment());
    }

    private void compare(Slice slice, MemorySegment segment) {
        long at = segment.mismatch(MemorySegment.ofArray(slice.region().bytes).asSlice(slice.start(), slice.length()));
        if (at >= 0) {
            int offset = slice.start() + (int) at;
            throw new AssertionError("byte %d (page %d) of %s is %d, expected %d".formatted(offset, offset / pageBytes, name(slice),
                    segment.get(JAVA_BYTE, at), slice.region().bytes[offset]));
        }
    }

    private void pin(Slice slice, boolean write) {
        if (!rig.isTransparent() || !slice.allows(write)) {
            return;
        }
        awaitIfFaulting();
        doing = "pin to " + (write ? "write " : "read ") + name(slice);
        try (HostPin _ = rig.heap.pin(slice.segment(), write ? Access.WRITE : Access.READ)) {
            compare(slice, slice.segment());
            if (write) {
                scribble(slice, slice.segment());
            }
        }
    }

    // ---- copies within the heap

    /// Also onto itself.
    private void copyWithin(Slice from, Slice to) {
        int length = Math.min(from.length(), to.length());
        Slice in = from.region().slice(from.start(), length);
        Slice out = to.region().slice(to.start(), length);
        doing = "heap.copy " + name(in) + " to " + name(out);
        change(List.of(new Use(in, false), new Use(out, true)), () -> rig.heap.copy(in.segment(), out.segment()),
                () -> System.arraycopy(in.region().bytes, in.start(), out.region().bytes, out.start(), length));
    }

    private void fillWithin(Slice slice) {
        byte value = (byte) random.nextInt();
        doing = "heap.fill " + name(slice);
        change(List.of(new Use(slice, true)), () -> rig.heap.fill(slice.segment(), value),
                () -> Arrays.fill(slice.region().bytes, slice.start(), slice.end(), value));
    }

    private void change(List<Use> uses, Runnable operation, Runnable effect) {
        closeSharedViews(uses);
        awaitIfFaulting();
        if (uses.stream().allMatch(use -> use.slice.allows(use.writes))) {
            operation.run();
            effect.run();
        } else {
            assertViolation(uses, operation::run);
            uses.stream().filter(Use::writes).forEach(use -> adopt(use.slice));
        }
    }

    /// What may be written there is not known any more.
    private void adopt(Slice slice) {
        awaitIfFaulting();
        for (int page = slice.firstPage(); page < slice.endPage(); page++) {
            Slice single = slice.region().pages(page, page + 1);
            if (single.allows(true)) {
                try (HostView view = rig.heap.view(single.segment(), Access.READ)) {
                    MemorySegment.copy(view.segment(), 0, MemorySegment.ofArray(slice.region().bytes), single.start(), single.length());
                }
            }
        }
    }

    /// All bytes go to a buffer, and come back if that is to be written to.
    private void lease(Slice slice, Arg.Intent intent) {
        Use use = new Use(slice, intent != Arg.Intent.IN);
        if (isViewed(slice) || !slice.allows(use.writes)) {
            return;
        }
        awaitIfFaulting();
        doing = "lease " + name(slice) + " " + intent;
        rig.heap.lease(any(rig.hmm.devices()), slice.segment(), intent).close();
    }

    // ---- kernels

    private void copy() {
        Slice to = kernelSlice();
        Slice from = kernelSlice();
        int length = Math.min(to.length(), from.length());
        Slice in = from.region().slice(from.start(), length);
        Slice out = to.region().slice(to.start(), length);
        if (in.overlaps(out)) {
            return;
        }
        boolean alsoWrites = random.nextInt(6) == 0 && !faulting; // a kernel that faults is judged by what it does, and this one only reads
        Object inArgument = alsoWrites ? Arg.inOut(in.segment()) : random.nextBoolean() ? in.segment() : Arg.in(in.segment());
        Object outArgument = outArgument(out);
        doing = "copy " + name(in) + " to " + name(out);
        launch(List.of(new Use(in, alsoWrites), new Use(out, true)), device -> rig.launchCopy(device, inArgument, outArgument),
                () -> System.arraycopy(in.region().bytes, in.start(), out.region().bytes, out.start(), length));
    }

    private void fill() {
        Slice out = kernelSlice();
        int start = random.nextInt();
        Object argument = outArgument(out);
        doing = "fill " + name(out);
        launch(List.of(new Use(out, true)), device -> rig.launchFill(device, argument, start),
                () -> eachInt(out, (i, _) -> start + i));
    }

    private void add() {
        Slice slice = kernelSlice();
        int delta = random.nextInt();
        Object argument = random.nextBoolean() ? slice.segment() : Arg.inOut(slice.segment());
        doing = "add to " + name(slice);
        launch(List.of(new Use(slice, true)), device -> rig.launchAdd(device, argument, delta),
                () -> eachInt(slice, (_, old) -> old + delta));
    }

    private Object outArgument(Slice out) {
        return switch (random.nextInt(3)) {
            case 0 -> Arg.out(out.segment());
            case 1 -> Arg.inOut(out.segment());
            default -> out.segment();
        };
    }

    private static void eachInt(Slice slice, IntBinaryOperator next) {
        MemorySegment bytes = MemorySegment.ofArray(slice.region().bytes).asSlice(slice.start(), slice.length());
        for (int i = 0; i < slice.length() / 4; i++) {
            bytes.set(JAVA_INT_UNALIGNED, 4L * i, next.applyAsInt(i, bytes.get(JAVA_INT_UNALIGNED, 4L * i)));
        }
    }

    private void launch(List<Use> uses, Function<HmmDevice, Launch> kernel, Runnable effect) {
        HmmDevice device = any(rig.hmm.devices());
        String launching = doing + " on " + device.index();
        closeSharedViews(uses);
        if (!device.equals(launchedOn)) {
            awaitIfFaulting();
        }
        doing = launching;
        if (uses.stream().anyMatch(this::isHeldByView)) {
            assertThatThrownBy(() -> { Launch _ = kernel.apply(device); }).isInstanceOf(IllegalStateException.class).hasMessageContaining("close it first");
        } else if (!fits(device, uses)) {
            assertThatThrownBy(() -> { Launch _ = kernel.apply(device); }).isInstanceOf(DeviceMemoryExhaustedException.class);
        } else if (!isWithinQuotas(device, uses)) {
            assertThatThrownBy(() -> { Launch _ = kernel.apply(device); }).isInstanceOf(QuotaExceededException.class);
        } else if (!areAllowed(uses) && !faulting) {
            assertViolation(uses, () -> { Launch _ = kernel.apply(device); });
        } else if (!areAllowed(uses)) {
            Launch launch = kernel.apply(device); // it runs to its end
            assertViolation(uses, launch::await);
            uses.stream().filter(Use::writes).forEach(use -> adopt(use.slice));
        } else {
            Launch launch = kernel.apply(device);
            launchedOn = device;
            effect.run();
            uses.forEach(use -> checkQuotas(use.slice.region()));
            if (random.nextInt(3) == 0) {
                launch.await();
            } else {
                launches.add(launch);
            }
        }
    }

    private static boolean areAllowed(List<Use> uses) {
        return uses.stream().allMatch(use -> use.slice.allows(use.writes));
    }

    private boolean isHeldByView(Use use) {
        return views.stream().anyMatch(open -> holds(open, use));
    }

    private static boolean holds(OpenView open, Use use) {
        return (open.view.isWrite() || use.writes) && open.slice.sharesPageWith(use.slice);
    }

    /// Kernels that fault go on within a budget, and within a quota.
    private boolean fits(HmmDevice device, List<Use> uses) {
        return faulting || device.hasAperture() || pagesOf(uses) * pageBytes <= device.budgetBytes();
    }

    private boolean isWithinQuotas(HmmDevice device, List<Use> uses) {
        return faulting || uses.stream().map(use -> use.slice.region())
                .allMatch(region -> pagesOf(uses.stream().filter(use -> use.slice.region() == region).toList()) <= quotaOf(region, device));
    }

    private long pagesOf(List<Use> uses) {
        return uses.stream()
                .flatMap(use -> LongStream.range(use.slice.firstPage(), use.slice.endPage())
                        .mapToObj(page -> use.slice.region().handle.address() / pageBytes + page))
                .distinct().count();
    }

    private void awaitLaunches() {
        doing = "await launches";
        launches.forEach(Launch::await);
        launches.clear();
    }

    private void awaitIfFaulting() {
        if (faulting) {
            awaitLaunches();
        }
    }

    // ---- kernels that go through the page table, which have ended when they are launched

    private void launchPaged() {
        Slice to = groups(kernelSlice());
        Slice from = groups(kernelSlice());
        if (to == null || from == null) {
            return;
        }
        int length = Math.min(to.length(), from.length());
        Slice in = from.region().slice(from.start(), length);
        Slice out = to.region().slice(to.start(), length);
        int number = random.nextInt();
        PagedKernels kernels = Objects.requireNonNull(paged);
        switch (random.nextInt(3)) {
            case 0 -> {
                Arg argument = random.nextBoolean() ? Arg.out(to.segment()) : Arg.inOut(to.segment());
                doing = "fill through the table " + name(to);
                launchPaged(List.of(new Use(to, true)), device -> kernels.fill(device, argument, number), () -> eachInt(to, (i, _) -> number + i));
            }
            case 1 -> {
                doing = "add through the table to " + name(to);
                launchPaged(List.of(new Use(to, true)), device -> kernels.add(device, to.segment(), number), () -> eachInt(to, (_, old) -> old + number));
            }
            default -> {
                Arg argument = random.nextBoolean() && in.region() != out.region() ? Arg.out(out.segment()) : Arg.inOut(out.segment());
                doing = "copy through the table " + name(in) + " to " + name(out);
                if (in.region() != out.region() || (!in.overlaps(out) && rig.hmm.devices().stream().allMatch(device -> quotaOf(in.region(), device) > 1))) { // a work-item wants both
                    launchPaged(List.of(new Use(in, false), new Use(out, true)), device -> kernels.copy(device, in.segment(), argument),
                            () -> System.arraycopy(in.region().bytes, in.start(), out.region().bytes, out.start(), length));
                }
            }
        }
    }

    private static @Nullable Slice groups(Slice slice) {
        int start = Math.ceilDiv(slice.start(), PagedKernels.GROUP_BYTES) * PagedKernels.GROUP_BYTES;
        int length = (slice.end() - start) / PagedKernels.GROUP_BYTES * PagedKernels.GROUP_BYTES;
        return length <= 0 ? null : slice.region().slice(start, length);
    }

    private void launchPaged(List<Use> uses, Function<HmmDevice, Launch> kernel, Runnable effect) {
        HmmDevice device = any(rig.hmm.devices());
        String launching = doing + " on " + device.index();
        closeSharedViews(uses);
        doing = launching;
        List<TableOracle.Use> ranges = uses.stream().map(use -> new TableOracle.Use(use.slice.segment(), use.writes)).toList();
        TableOracle table = tables.get(device);
        if (table != null) {
            table.launching();
        }
        if (uses.stream().anyMatch(this::isHeldByView)) {
            assertThatThrownBy(() -> { Launch _ = kernel.apply(device); }).isInstanceOf(IllegalStateException.class).hasMessageContaining("close it first");
        } else if (areAllowed(uses)) {
            kernel.apply(device).await();
            effect.run();
            if (table != null) {
                table.launched(ranges, ranges);
            }
            uses.forEach(use -> checkQuotas(use.slice.region()));
            return;
        } else {
            assertViolation(uses, () -> { Launch _ = kernel.apply(device); });
            uses.stream().filter(Use::writes).forEach(use -> adopt(use.slice));
        }
        if (table != null) {
            table.failed(ranges);
        }
    }

    // ---- moving

    private void prefetch(Slice slice) {
        move("prefetch", slice, device -> rig.heap.prefetch(slice.segment(), device), List.of(PageOutcome.ALREADY, PageOutcome.MOVED));
    }

    private void migrate(Slice slice) {
        move("migrate", slice, device -> rig.heap.migrate(slice.segment(), device),
                List.of(PageOutcome.ALREADY, PageOutcome.MOVED, PageOutcome.ELSEWHERE));
    }

    private void move(String what, Slice slice, Function<HmmDevice, MigrationReport> migration, List<PageOutcome> outcomes) {
        HmmDevice device = any(rig.hmm.devices());
        doing = what + " " + name(slice) + " to " + device.index();
        if (faulting) {
            assertThatThrownBy(() -> { MigrationReport _ = migration.apply(device); }).isInstanceOf(IllegalStateException.class).hasMessageContaining("deviceFaults");
        } else if (!fits(device, List.of(new Use(slice, true)))) {
            assertThatThrownBy(() -> { MigrationReport _ = migration.apply(device); }).isInstanceOf(DeviceMemoryExhaustedException.class);
        } else if (!isWithinQuotas(device, List.of(new Use(slice, true)))) {
            assertThatThrownBy(() -> { MigrationReport _ = migration.apply(device); }).isInstanceOf(QuotaExceededException.class);
        } else if (!slice.allows(false)) {
            assertViolation(List.of(new Use(slice, false)), () -> { MigrationReport _ = migration.apply(device); });
        } else {
            MigrationReport report = migration.apply(device);
            for (int page = slice.firstPage(); page < slice.endPage(); page++) {
                PageOutcome outcome = report.outcome(report.pages().first() + page - slice.firstPage());
                Slice single = slice.region().pages(page, page + 1);
                if (!alone && outcome == PageOutcome.RACED) {
                    continue; // such as another thread's evicting from the device that shared the page
                }
                if (!isViewed(single)) {
                    assertThat(outcome).as("page %d", page).isIn(outcomes);
                } else {
                    assertThat(outcome).as("page %d under a view", page).isEqualTo(PageOutcome.PINNED);
                }
            }
        }
    }

    private void prefetchHost(Slice slice) {
        awaitIfFaulting();
        doing = "prefetch to host " + name(slice);
        assertThat(rig.heap.prefetchHost(slice.segment()).allResident()).isTrue();
        Residency residency = rig.heap.residency(slice.segment());
        assertThat(residency.deviceBytes()).containsOnly(0L);
        assertThat(residency.sharedBytes()).isZero();
    }

    private void evictAll() {
        HmmDevice device = any(rig.hmm.devices());
        doing = "evict all from " + device.index();
        rig.hmm.evictAll(device);
    }

    /// Looking changes nothing, and what is seen makes sense.
    private void look(Slice slice) {
        doing = "look at " + name(slice);
        Residency residency = rig.heap.residency(slice.region().handle);
        long sum = residency.emptyBytes() + residency.hostBytes() + residency.sharedBytes() + residency.poisonedBytes()
                + residency.deviceBytes().stream().mapToLong(Long::longValue).sum();
        assertThat(sum).isEqualTo((long) slice.region().pages() * pageBytes);
        assertThat(residency.poisonedBytes()).isZero();
        checkQuotas(slice.region());
        List<SnapshotCode> codes = rig.snap(any(rig.hmm.devices()), slice.region().handle);
        for (int page = 0; page < codes.size(); page++) {
            Protection protection = slice.region().protections[page];
            boolean error = codes.get(page) == SnapshotCode.ERROR;
            assertThat(error).as("page %d is %s: %s", page, protection, codes.get(page)).isEqualTo(protection == Protection.NONE);
            if (protection == Protection.READ) {
                assertThat(codes.get(page).code() & SnapshotCode.WRITE.code()).as("page %d: %s", page, codes.get(page)).isZero();
            }
        }
    }

    // ---- checks

    private void checkRegion(ModelRegion region) {
        awaitIfFaulting();
        for (int page = 0; page < region.pages(); page++) {
            Slice slice = region.pages(page, page + 1);
            doing = "check " + name(slice);
            if (slice.allows(false)) {
                try (HostView view = rig.heap.view(slice.segment(), Access.READ)) {
                    compare(new OpenView(view, slice, false));
                }
            }
        }
    }

    void checkAll() {
        regions.forEach(this::checkRegion);
    }

    /// Ends everything that is open, compares every byte, and gives all memory back.
    void finish() {
        while (!views.isEmpty()) {
            closeAView();
        }
        awaitLaunches();
        for (ModelRegion region : regions) {
            rig.heap.protect(region.handle, Protection.READ_WRITE);
            region.all().protect(Protection.READ_WRITE);
            checkRegion(region);
            rig.heap.free(region.handle);
        }
        regions.clear();
    }

    private void assertViolation(List<Use> uses, ThrowingCallable operation) {
        doing += ", which is forbidden";
        assertThatThrownBy(operation).isInstanceOfSatisfying(AccessViolationException.class, violation -> {
            boolean names = uses.stream().anyMatch(use -> {
                long page = (violation.addressBytes() - use.slice.region().handle.address()) / pageBytes;
                if (page < use.slice.firstPage() || page >= use.slice.endPage()) {
                    return false;
                }
                Protection protection = use.slice.region().protections[(int) page];
                return violation.kind() == AccessViolationException.Kind.FAULT
                        ? protection == Protection.NONE
                        : use.writes && protection == Protection.READ;
            });
            assertThat(names).as("%s names a page that forbids it", violation.getMessage()).isTrue();
        });
    }

    // ---- choices

    private Slice anySlice() {
        ModelRegion region = any(regions);
        int start = random.nextInt(region.size());
        return region.slice(start, 1 + random.nextInt(region.size() - start));
    }

    private Slice kernelSlice() {
        ModelRegion region = any(regions);
        int unit = random.nextInt(4) == 0 && !faulting ? 4 : rig.argumentBytes(); // kernels that fault get no copies
        int start = random.nextInt(Math.ceilDiv(region.size(), unit)) * unit;
        return region.slice(start, 4 * (1 + random.nextInt((region.size() - start) / 4)));
    }

    private <T> T any(List<T> list) {
        return list.get(random.nextInt(list.size()));
    }

    private static String name(Slice slice) {
        return "0x%x[%d, %d)".formatted(slice.region().handle.address(), slice.start(), slice.end());
    }
}
