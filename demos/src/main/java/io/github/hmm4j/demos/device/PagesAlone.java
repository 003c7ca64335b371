package io.github.hmm4j.demos.device;

import io.github.hmm4j.ByteSize;
import io.github.hmm4j.account.Accounts;
import io.github.hmm4j.device.Completion;
import io.github.hmm4j.device.CopyEngine;
import io.github.hmm4j.device.CopyRun;
import io.github.hmm4j.device.Device;
import io.github.hmm4j.device.DeviceInfo;
import io.github.hmm4j.device.DeviceMemory;
import io.github.hmm4j.device.DeviceProgram;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.InFlight;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.mirror.Notifier;
import io.github.hmm4j.page.PageTable;
import io.github.hmm4j.page.PageWord;
import io.github.hmm4j.page.Transition;
import io.github.hmm4j.space.AddressSpace;
import io.github.hmm4j.space.PageRange;
import io.github.hmm4j.space.PageSize;
import io.github.hmm4j.timeline.Timeline;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// The words of a heap and a mirror, without all else: what it takes to look at words is hmm4j's own.
///
/// The one device does nothing, and nothing is ever launched on it; data must not be looked at. Threads: one.
public final class PagesAlone implements AutoCloseable {
    public static final int DEVICE = 0;
    private static final int PAGE_BYTES = 4096;
    private static final int ALIGNMENT_BYTES = 128;

    private final AddressSpace space;
    private final PageTable table;
    private final DeviceMirror mirror;
    private final ManagedPages heap;
    private final PageRange pages;

    /// Pages that nobody has touched.
    public PagesAlone(int count) {
        space = new AddressSpace((long) count * PAGE_BYTES, new PageSize(PAGE_BYTES));
        table = new PageTable(space.pageCount(), space.pageSize());
        mirror = new DeviceMirror(DEVICE, new NoDriver(), space, table, PAGE_BYTES);
        Accounts accounts = new Accounts();
        heap = new ManagedPages(space, table, new NoLaunches(), new Notifier(), accounts, new Timeline(accounts, null), List.of(mirror));
        pages = space.pagesOf(space.allocate((long) count * PAGE_BYTES, 1).range());
    }

    public PageRange pages() {
        return pages;
    }

    public PageTable table() {
        return table;
    }

    public DeviceMirror mirror() {
        return mirror;
    }

    public ManagedPages heap() {
        return heap;
    }

    /// Says that the device has a page which nobody has touched.
    ///
    /// @param write whether it is the device's alone; else the host has it as well
    public void moveToDevice(long page, boolean write) {
        long empty = table.word(page);
        long claim = PageWord.toClaimedForDevice(empty, DEVICE, write);
        table.transition(page, Transition.CLAIM_FOR_DEVICE, empty, claim);
        if (write) {
            table.transition(page, Transition.COMMIT_DEVICE, claim, PageWord.toDevice(claim, DEVICE));
        } else {
            table.transition(page, Transition.COMMIT_SHARED, claim, PageWord.toShared(claim, 1 << DEVICE));
        }
    }

    @Override
    public void close() {
        mirror.close();
        table.close();
        space.close();
    }

    private static final class NoLaunches implements InFlight {
        @Override
        public void awaitConflicts(PageRange range, boolean writersOnly) {
            // there are none
        }

        @Override
        public void awaitUsesOn(int device, PageRange range) {
            // there are none
        }

        @Override
        public List<PageRange> usedOn(int device) {
            return List.of();
        }

        @Override
        public void noteEnds(PageRange range) {
            // none begins
        }

        @Override
        public long launchedOn(int device) {
            return 0;
        }

        @Override
        public Optional<String> failureOf(long page) {
            return Optional.empty();
        }

        @Override
        public void awaitAll() {
            // there is nothing
        }
    }

    private static final class NoDriver implements Device {
        @Override
        public DeviceInfo info() {
            return new DeviceInfo("does nothing", "hmm4j", "none", "none", DeviceInfo.Kind.OTHER, ByteSize.gib(1),
                ByteSize.gib(1), ALIGNMENT_BYTES, 1, 1, 0, false, Set.of());
        }

        @Override
        public DeviceMemory allocate(long lengthBytes) {
            return new Memory(lengthBytes);
        }

        @Override
        public CopyEngine copyEngine(long hostAddressBytes, long lengthBytes) {
            return new NoCopies();
        }

        @Override
        public DeviceProgram build(Source source, String options) {
            throw new UnsupportedOperationException("this device compiles nothing");
        }

        @Override
        public void close() {
            // it has nothing
        }
    }

    private record Memory(long lengthBytes) implements DeviceMemory {
        @Override
        public DeviceMemory slice(long offsetBytes, long sliceBytes) {
            return new Memory(sliceBytes);
        }

        @Override
        public void close() {
            // there is none
        }
    }

    private static final class NoCopies implements CopyEngine {
        @Override
        public String name() {
            return "none";
        }

        @Override
        public Completion toDevice(List<CopyRun> batch) {
            return Completion.DONE;
        }

        @Override
        public Completion toHost(List<CopyRun> batch) {
            return Completion.DONE;
        }

        @Override
        public Completion zero(DeviceMemory memory, long offsetBytes, long lengthBytes) {
            return Completion.DONE;
        }

        @Override
        public void close() {
            // nothing is under way
        }
    }
}
