package io.github.hmm4j;

import io.github.hmm4j.account.Cause;
import io.github.hmm4j.device.opencl.ClDevice;
import io.github.hmm4j.device.opencl.ClLoan;
import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.migrate.HostSide;
import io.github.hmm4j.migrate.MigrationReport;
import io.github.hmm4j.migrate.PageErrors;
import io.github.hmm4j.migrate.Placer;
import io.github.hmm4j.migrate.RegionChanges;
import io.github.hmm4j.migrate.ToDevice;
import io.github.hmm4j.migrate.UndoLog;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.DeviceTable;
import io.github.hmm4j.mirror.InvalidationCallback;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.mirror.PlacementMode;
import io.github.hmm4j.mirror.Snapshot;
import io.github.hmm4j.mirror.Subscription;
import io.github.hmm4j.pager.HostPin;
import io.github.hmm4j.pager.HostView;
import io.github.hmm4j.pager.HostViews;
import io.github.hmm4j.space.AddressSpace;
import io.github.hmm4j.space.Handles;
import io.github.hmm4j.space.PageRange;
import io.github.hmm4j.space.PageSize;
import io.github.hmm4j.space.Parts;
import io.github.hmm4j.space.PlacementAdvice;
import io.github.hmm4j.space.Protection;
import io.github.hmm4j.space.Region;
import io.github.hmm4j.space.VaRange;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Memory that the host and all devices use through the same pointers; pages move by themselves.
///
/// Each allocation is a region of whole pages. For many small ones, and for what goes together, there is an [#arena];
/// for parts of one object, such as the nodes of a tree, a region that is carved up with
/// [SegmentAllocator#slicingAllocator].
///
/// A segment's address is what kernels see and what may be stored as a pointer. With transparent access any code reads and writes it with ordinary loads and stores, wherever its
/// pages are. A touch that cannot be served (the protection forbids it, contents are lost with a device, the region was
/// freed) is told as that of a mapped file that was cut off: as `SIGBUS`. Where the JVM is prepared for that it is an
/// [InternalError], which comes when the method that touched returns, at the latest: loads, stores and bulk copies of
/// segments and buffers, by a platform thread. **Elsewhere it ends the JVM**, and no [InternalError] must be relied on:
/// in native code, also that of the JDK (`Deflater` and `Inflater` on a segment's buffer); in what the JVM does with
/// code of its own (`CRC32`, `CRC32C`, `Adler32`); in an atomic update (`compareAndSet` and its like) that C2 has not
/// compiled; and it can in a virtual thread.
///
/// A touch of what a running kernel uses waits for the kernel, and so does every thread that wants a safepoint: await the launch first. [HmmBuilder#touchTimeout] bounds it.
///
/// Memory that the operating system does not have is such an error, too, and a
/// [io.github.hmm4j.error.HostMemoryExhaustedException] of a view, pin or launch; the page stays where it was. A forked
/// child has no managed memory: it ends with the signal of a stray touch.
///
/// With checked access the bytes are reached through [#view] only: a raw touch of the segment throws [WrongThreadException], since it belongs to a thread that has ended.
///
/// Code of the program's own that the heap calls in the middle of a change, an [io.github.hmm4j.policy.EvictionPolicy]
/// or an [InvalidationCallback], may look ([#residency], [#snapshot],
/// [#smaps], what says how many bytes) and subscribe. All else of its own heap throws an [IllegalStateException] there.
///
/// Segments live until [#free], the end of their arena, or that of the [Hmm], with their slices and what is made of them
/// with another size (`reinterpret(long)`). Ranges given to the methods below lie
/// within one allocation; to move, protect or discard an empty one does nothing. Sizes are bytes. Threads: any.
public final class ManagedHeap extends FillingAllocator {

    private static final Logger LOG = LoggerFactory.getLogger(ManagedHeap.class);

    private final ManagedPages pages;
    private final AddressSpace space;
    private final Lifetime lifetime;
    private final RegionChanges regions;
    private final HostSide hostSide;
    private final ToDevice toDevice;
    private final Placer placer;
    private final HostViews views;
    private final HeapCopies copies;
    private final Handles handles;
    private final Departure departure;

    ManagedHeap(ManagedPages pages, Lifetime lifetime, RegionChanges regions, HostSide hostSide, ToDevice toDevice, Placer placer, HostViews views, HeapCopies copies,
            Handles handles, Departure departure) {
        this.pages = pages;
        this.space = pages.space();
        this.lifetime = lifetime;
        this.regions = regions;
        this.hostSide = hostSide;
        this.toDevice = toDevice;
        this.placer = placer;
        this.views = views;
        this.copies = copies;
        this.handles = handles;
        this.departure = departure;
    }

    public PageSize pageSize() {
        return space.pageSize();
    }

    /// Address space of the heap, as reserved; more than was asked for, if large allocations are shifted ([#allocate(long, long)]).
    public long capacityBytes() {
        return space.capacityBytes();
    }

    /// Bytes in allocations, whole pages.
    public long usedBytes() {
        return space.usedBytes();
    }

    /// Allocates memory that reads as zeros and costs nothing until it is written.
    ///
    /// Small allocations start at a page. Large ones (from 2 MiB and 16 pages on, in a heap of 32 MiB or more) need not: each
    /// starts at another place of its first page, at a multiple of what pointers of every device are aligned to, so that
    /// arrays of the same size do not share places of a cache. Whoever frees or protects a part of one in pages takes the
    /// address for that, and not the offset; or asks for the alignment of a page.
    ///
    /// @param byteAlignment power of two up to 2 MiB; kept
    /// @throws OutOfMemoryError if the heap has no free range of this size
    @Override
    public MemorySegment allocate(long byteSize, long byteAlignment) {
        if (byteSize < 0) {
            throw new IllegalArgumentException("byteSize=" + byteSize + ", must not be negative");
        }
        try (Lifetime.Hold _ = lifetime.change("allocate")) {
            return regions.allocate(Math.max(1, byteSize), byteAlignment, region -> handle(region, byteSize));
        }
    }

    @Override
    HostView toFill(MemorySegment segment) {
        return view(segment, Access.WRITE);
    }

    @Override
    void giveUp(MemorySegment segment) {
        free(segment);
    }

    /// An arena of managed memory, for what goes together: closing it frees all that was allocated in it, and its
    /// segments throw an [IllegalStateException] from then on, as those of any [Arena] do.
    ///
    /// Small allocations share pages: each begins at a multiple of what pointers of every device are aligned to (128
    /// bytes on most), so that each can be a kernel's argument, and takes no more than that. Whole pages of its own has
    /// only what is larger: from 16 KiB on in a new arena, from 256 KiB on in one that has grown. What shares a page
    /// moves with it: keep apart what host and kernels write at the same time. Allocations read as zeros. Threads: any
    /// may allocate, use and close.
    ///
    /// Closing waits for launches in flight as [#free] does, and frees all or nothing. It throws an
    /// [IllegalStateException], and the arena stays as it is, while a view or a pin of its memory is open, or a native
    /// call uses it; a launch that begins meanwhile is refused. The memory of an arena can be protected and discarded,
    /// and neither freed nor moved by itself. An arena that is never closed ends with its heap.
    ///
    /// ```java
    /// try (Arena arena = hmm.heap().arena()) {
    ///     MemorySegment query = arena.allocateFrom(JAVA_FLOAT, values);
    ///     MemorySegment best = arena.allocate(JAVA_INT);
    ///     search.args(query, best).launch(range).await();
    /// }
    /// ```
    public Arena arena() {
        try (Lifetime.Hold _ = lifetime.change("arena")) {
            return new HeapArena(this, pages, lifetime, regions, handles);
        }
    }

    private static MemorySegment handle(Region region, long byteSize) {
        return Objects.requireNonNull(region.generation()).segment(region.data().startBytes(), byteSize);
    }

    /// Frees an allocation, or whole pages of one: their host memory and their place on every device. Waits for launches in flight that use them.
    ///
    /// The segment, and slices of it, must not be used any more. Every call that takes one refuses it for ever, also when its addresses are another allocation's. A touch of it throws an [IllegalStateException] once all allocations that share its [scope][MemorySegment#scope]
    /// are freed (few or none in a program that makes some hundred allocations, up to 63 where it makes many) (if kernels ran then, with a later `free` or `move`); before that it is an error as above. That is so as long as the heap has room elsewhere: its addresses are not allocated again before.
    ///
    /// Of an **address** that was kept (a pointer stored in memory, [MemorySegment#ofAddress], `reinterpret` with an arena of the program's own) nobody can tell whose it was: it is refused while no allocation has it, which is until 64 others were freed after it, unless there is no other room. Fewer wait where they are
    /// larger than 1 MiB and were on the host as a whole (of 16 MiB three, of 32 MiB one), or larger than 256 MiB.
    ///
    /// If this throws, nothing was freed. Where the operating system or a device does not take back what it is given, the next allocation tries again.
    ///
    /// @throws IllegalArgumentException if it is neither an allocation nor page-aligned within one, or was freed before
    /// @throws IllegalStateException    if a view of it is open; nothing was freed
    public void free(MemorySegment segment) {
        try (Lifetime.Hold _ = lifetime.change("free")) {
            Segments.use(space, segment, () -> regions.free(wholePages(segment, "free"), () -> Segments.requireCurrent(space, segment)));
        }
    }

    /// Changes what may be done with the pages that the segment touches, on the host and on all devices. They stay where they are.
    /// Launches in flight are waited for that do what is forbidden now.
    ///
    /// @throws IllegalStateException if access is taken away while a view is open
    public void protect(MemorySegment segment, Protection protection) {
        Objects.requireNonNull(segment, "segment");
        Objects.requireNonNull(protection, "protection");
        try (Lifetime.Hold _ = lifetime.change("protect")) {
            if (segment.byteSize() > 0) {
                Segments.use(space, segment, () -> regions.protect(managed(segment), protection, () -> Segments.requireCurrent(space, segment)));
            }
        }
    }

    /// Declares old contents dead: pages of which all that is allocated lies within the segment read as zeros and cost no transfer until they are written again. Pages whose contents were lost with a device or a failed
    /// kernel ([PagePoisonedException][io.github.hmm4j.error.PagePoisonedException]) can be used again afterwards.
    ///
    /// @throws IllegalArgumentException if the segment is read-only or not managed
    /// @throws IllegalStateException    if a view is open
    public void discard(MemorySegment segment) {
        Objects.requireNonNull(segment, "segment");
        try (Lifetime.Hold _ = lifetime.change("discard")) {
            if (segment.byteSize() > 0) {
                Segments.use(space, segment, () -> regions.discard(writable(segment, "discard"), () -> Segments.requireCurrent(space, segment)));
            }
        }
    }

    /// Sets all bytes, where they are: what is on a device is filled there, by a kernel, and nothing is moved for whole
    /// pages.
    ///
    /// Goes through slices of up to 16 MiB; each is filled by the device that has most of its pages, else by the host,
    /// and lies there afterwards. Returns when it is done. If this throws, what the segment holds is undefined; who reads
    /// it meanwhile finds each page as it was or as it will be.
    ///
    /// @throws IllegalArgumentException                       if the segment is read-only or not managed
    /// @throws io.github.hmm4j.error.AccessViolationException if the protection forbids it
    /// @throws io.github.hmm4j.error.HmmException             if a device or the operating system fails
    public void fill(MemorySegment segment, byte value) {
        Objects.requireNonNull(segment, "segment");
        try (Lifetime.Hold _ = lifetime.change("fill")) {
            if (segment.byteSize() > 0) {
                Segments.use(space, segment, () -> copies.fill(segment, writable(segment, "fill"), value));
            }
        }
    }

    /// Copies all bytes of a segment to another of the same size, where they are: what is on a device is copied there,
    /// by a kernel, and old contents of whole pages are not fetched.
    ///
    /// Goes through slices of up to 16 MiB; each is copied by the device that has most of the pages read, else by the
    /// one that has most of those written, else by the host. Returns when it is done. Segments that overlap are copied
    /// right, by the host. If this throws, what `to` holds is undefined; who reads it meanwhile finds each page that the
    /// device copies as it was or as it will be. For memory that is not managed open a [#view].
    ///
    /// @throws IllegalArgumentException                       if sizes differ, `to` is read-only, or a segment is not managed
    /// @throws io.github.hmm4j.error.AccessViolationException if the protection forbids it
    /// @throws io.github.hmm4j.error.HmmException             if a device or the operating system fails
    public void copy(MemorySegment from, MemorySegment to) {
        Objects.requireNonNull(from, "from");
        Objects.requireNonNull(to, "to");
        try (Lifetime.Hold _ = lifetime.change("copy")) {
            if (from.byteSize() != to.byteSize()) {
                throw new IllegalArgumentException(String.format(Locale.ROOT, "fromBytes=%d, toBytes=%d, must be the same", from.byteSize(), to.byteSize()));
            }
            if (to.byteSize() > 0) {
                Segments.use(space, from, () -> Segments.use(space, to, () -> copies.copy(from, managed(from), to, writable(to, "copy"))));
            }
        }
    }

    /// Lends the bytes of a segment to a library that calls OpenCL itself, such as CLBlast: a `cl_mem` that holds them,
    /// and a queue. What that is and is not: [DeviceLease].
    ///
    /// ```java
    /// try (DeviceLease a = heap.lease(device, left, Arg.Intent.IN);
    ///         DeviceLease b = heap.lease(device, right, Arg.Intent.IN);
    ///         DeviceLease c = heap.lease(device, product, Arg.Intent.OUT)) {
    ///     // CLBlastSgemm(..., a.memory(), 0, ..., b.memory(), 0, ..., c.memory(), 0, ..., c.queue(), ...)
    /// } // product holds what c.memory() held
    /// ```
    ///
    /// Returns when the bytes are there. The buffer is device memory outside the budget, as large as the segment.
    ///
    /// @param intent what the library does: with [Arg.Intent#OUT] the buffer's bytes are undefined until it writes them, and **all** of them come back; with [Arg.Intent#IN] nothing comes back
    /// @throws IllegalArgumentException                             if the segment is empty or not managed, or read-only and to be written; if the device is no OpenCL device
    /// @throws io.github.hmm4j.error.AccessViolationException if the protection forbids it
    /// @throws io.github.hmm4j.error.HmmException             if the device has no memory for it, or fails
    public DeviceLease lease(HmmDevice device, MemorySegment segment, Arg.Intent intent) {
        Objects.requireNonNull(segment, "segment");
        Objects.requireNonNull(intent, "intent");
        try (Lifetime.Hold _ = lifetime.change("lease")) {
            DeviceMirror mirror = mirrorOf(device);
            if (!(mirror.device() instanceof ClDevice openCl)) {
                throw new IllegalArgumentException("device=%s is no OpenCL device, so there is no cl_mem to lease".formatted(device));
            }
            if (segment.byteSize() == 0) {
                throw new IllegalArgumentException("lease refused: the segment is empty, which no cl_mem can be");
            }
            VaRange range = intent.writes() ? writable(segment, "lease") : managed(segment);
            if (intent.writes()) {
                requireWritable(space.pagesOf(range));
            }
            ClLoan loan = openCl.loan(range.lengthBytes());
            try {
                if (intent != Arg.Intent.OUT) {
                    Segments.use(space, segment, () -> copies.lend(mirror, segment, range, loan.memory()));
                }
                return new DeviceLease(lifetime, copies, space, mirror, segment, range, intent, loan);
            } catch (RuntimeException | Error e) {
                Parts.closeAfter(e, loan);
                throw e;
            }
        }
    }

    /// Told before there is something to be taken back that cannot be.
    private void requireWritable(PageRange range) {
        for (long page = range.first(); page < range.end(); page++) {
            PageErrors.requireAccess(pages, page, pages.table().word(page), true, "lease");
        }
    }

    /// Moves an allocation to another address, as `mremap` does. What lies on a device stays there, unless device addresses are tied to heap addresses (aperture).
    ///
    /// The new address lies at the same place of a page as the old one; a larger alignment that was asked for at first is not kept. If this throws, the allocation is where it was.
    ///
    /// @return the allocation at its new address; the old segment must not be used any more, and is refused as after [#free]
    public MemorySegment move(MemorySegment segment) {
        try (Lifetime.Hold _ = lifetime.change("move")) {
            return Segments.using(space, segment, () -> regions.move(wholePages(segment, "move"), () -> Segments.requireCurrent(space, segment), region -> {
                MemorySegment moved = handle(region, segment.byteSize());
                return segment.isReadOnly() ? moved.asReadOnly() : moved;
            }));
        }
    }

    /// Says whether kernels of a device are to use the allocation that holds a segment where the host has it, from the
    /// next launch on: advice, and no page moves now. What an allocation is split into and where it moves to keeps it.
    ///
    /// Launches with [Arg#heap] pass over it: pointers are followed in one place, which is the device's own
    /// ([HmmDevice#placement()]).
    ///
    /// @param mode `AUTO`: as the device has it
    /// @throws IllegalArgumentException                                 if the segment is not managed, or kernels of
    ///        the device fault and it is to be used in place
    /// @throws io.github.hmm4j.error.InPlaceUnavailableException if the device does not prove that its kernels use host
    ///        pages where they are; nothing has changed
    public void place(MemorySegment segment, HmmDevice device, PlacementMode mode) {
        Objects.requireNonNull(segment, "segment");
        Objects.requireNonNull(mode, "mode");
        try (Lifetime.Hold _ = lifetime.change("place")) {
            DeviceMirror mirror = mirrorOf(device);
            if (mode == PlacementMode.IN_PLACE) {
                mirror.requireInPlace();
            }
            if (segment.byteSize() > 0) {
                space.advise(managed(segment), advice -> switch (mode) {
                    case AUTO -> advice.withoutDevice(mirror.index());
                    case PRIVATE -> advice.apartOn(mirror.index());
                    case IN_PLACE -> advice.inPlaceOn(mirror.index());
                });
            }
        }
    }

    /// Bounds the memory of a device that the pages of an allocation may take at a time, so that one which is larger than
    /// the device, or of no great use there, leaves room for others. What an allocation is split into and where it moves
    /// to has the same quota again. What all of the heap may take is [HmmBuilder#budget].
    ///
    /// Holds from when this returns: what is there beyond it has come home then, for which kernels are waited for that
    /// use it. (Where kernels fault, what one was just given goes when the next page comes.) A page that comes to an
    /// allocation which has all that it may have takes the place of another one of it, whatever else is free; and of
    /// allocations in such a state others take places first, if the device is full. Launches and prefetches that need
    /// more of it at a time are refused ([io.github.hmm4j.error.QuotaExceededException]); kernels that page (`hmm.clh`,
    /// [HmmBuilder#deviceFaults()]) go on within it. Where a device has room for the whole heap, as an aperture
    /// ([HmmDevice#hasAperture()]), and where kernels use host pages in place, there is nothing to share, and a quota means
    /// nothing: it is kept, so that a program need not ask, and the log says so once for each device, at INFO.
    ///
    /// ```java
    /// heap.quota(records, hmm.device(), ByteSize.mib(64)); // what streams by, so that the index stays on the device
    /// ```
    ///
    /// @param segment of the allocation; a slice stands for **all** of it, and a second quota takes the place of the first
    /// @param bytes at least a page, and, where kernels fault, 33 pages for each compute unit; what is not a whole page is
    ///              left out. It bounds and reserves nothing; [Long#MAX_VALUE] takes the quota away
    /// @throws IllegalArgumentException if that is too little, or the segment is not managed; nothing has changed
    /// @throws HmmException             if what is there cannot come home; the quota holds for what comes from now on
    public void quota(MemorySegment segment, HmmDevice device, long bytes) {
        Objects.requireNonNull(segment, "segment");
        if (bytes < space.pageSize().bytes()) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "quotaBytes=%d, must be a page at least, pageSize=%d", bytes, space.pageSize().bytes()));
        }
        try (Lifetime.Hold _ = lifetime.change("quota")) {
            DeviceMirror mirror = mirrorOf(device);
            if (segment.byteSize() > 0) {
                long quotaPages = bytes == Long.MAX_VALUE ? PlacementAdvice.NO_QUOTA : space.pageSize().pageOf(bytes);
                Segments.use(space, segment, () -> placer.setQuota(mirror, managed(segment), quotaPages, () -> Segments.requireCurrent(space, segment)));
            }
        }
    }

    /// Opens a range to the calling thread: brings its pages home and keeps them there until the view is closed.
    /// To write takes host memory for all of its pages. A view of an empty segment is empty, and holds nothing.
    ///
    /// @throws IllegalArgumentException                             if the segment is not managed, or read-only and to be written
    /// @throws io.github.hmm4j.error.AccessViolationException if the protection forbids it
    /// @throws io.github.hmm4j.error.HostMemoryExhaustedException if the operating system has no memory for its pages
    public HostView view(MemorySegment segment, Access access) {
        try (Lifetime.Hold _ = lifetime.change("view")) {
            return view(segment, access, false);
        }
    }

    /// Like [#view], but any thread may use and close it. Closing costs more: all threads are told.
    public HostView sharedView(MemorySegment segment, Access access) {
        try (Lifetime.Hold _ = lifetime.change("sharedView")) {
            return view(segment, access, true);
        }
    }

    private HostView view(MemorySegment segment, Access access, boolean shared) {
        boolean write = Objects.requireNonNull(access, "access") == Access.WRITE;
        if (Objects.requireNonNull(segment, "segment").byteSize() == 0) {
            return views.viewOfNothing(VaRange.ofLength(segment.address(), 0), write, shared);
        }
        return opened(Segments.using(space, segment, () -> views.view(accessible(segment, access, "view"), write, shared)), segment);
    }

    /// Brings a range home and keeps it there, mapped, until the pin is closed: for system calls and drivers that are given its address, where the host access of this heap is not
    /// good for those ([io.github.hmm4j.pager.HostAccess#fromSystemCalls]). A pin is a view of the segment itself; any thread may close it. For files and channels there is [HeapIo].
    /// A pin of an empty segment holds nothing.
    ///
    /// @throws IllegalStateException                          with checked access, where nothing is mapped at that address: open a view
    /// @throws IllegalArgumentException                       if the segment is not managed, or read-only and to be written
    /// @throws io.github.hmm4j.error.AccessViolationException if the protection forbids it
    /// @throws io.github.hmm4j.error.HostMemoryExhaustedException if the operating system has no memory for its pages
    public HostPin pin(MemorySegment segment, Access access) {
        Objects.requireNonNull(segment, "segment");
        boolean write = Objects.requireNonNull(access, "access") == Access.WRITE;
        try (Lifetime.Hold _ = lifetime.change("pin")) {
            if (!handles.all().isAccessibleBy(Thread.currentThread())) {
                throw new IllegalStateException(String.format(Locale.ROOT,
                        "pin refused: with checked host access there is nothing to pin at address=0x%x; open a view", segment.address()));
            }
            if (segment.byteSize() == 0) {
                return views.pinOfNothing(VaRange.ofLength(segment.address(), 0), write);
            }
            HostPin pin = Segments.using(space, segment, () -> views.pin(accessible(segment, access, "pin"), write));
            return opened(pin, segment);
        }
    }

    /// What is open now keeps the memory, unless that was freed before.
    private HostView opened(HostView view, MemorySegment segment) {
        try {
            Segments.requireCurrent(space, segment);
            return view;
        } catch (IllegalArgumentException | IllegalStateException | OutOfMemoryError e) {
            view.close();
            throw e;
        }
    }

    private HostPin opened(HostPin pin, MemorySegment segment) {
        try {
            Segments.requireCurrent(space, segment);
            return pin;
        } catch (IllegalArgumentException | IllegalStateException | OutOfMemoryError e) {
            pin.close();
            throw e;
        }
    }

    /// Moves pages to a device ahead of use. Best effort: pages under a view stay, and the report says so.
    ///
    /// @throws IllegalStateException if kernels bring their pages themselves ([HmmBuilder#deviceFaults()])
    public MigrationReport prefetch(MemorySegment segment, HmmDevice device) {
        return migrate(segment, device, ToDevice.Effort.EVERY_PAGE);
    }

    /// Moves those pages to a device that are on the host; what another device owns, a view holds or somebody else is moving stays where it is (`migrate_vma` of the kernel).
    ///
    /// @throws IllegalStateException as [#prefetch]
    public MigrationReport migrate(MemorySegment segment, HmmDevice device) {
        return migrate(segment, device, ToDevice.Effort.HOST_PAGES);
    }

    private MigrationReport migrate(MemorySegment segment, HmmDevice device, ToDevice.Effort effort) {
        Objects.requireNonNull(segment, "segment");
        try (Lifetime.Hold _ = lifetime.change(effort == ToDevice.Effort.EVERY_PAGE ? "prefetch" : "migrate")) {
            DeviceMirror mirror = mirrorOf(device);
            if (mirror.isFaulting()) {
                throw new IllegalStateException("kernels of device=%s bring their pages themselves (deviceFaults): nothing can be moved there ahead of them".formatted(mirror.deviceName()));
            }
            if (segment.byteSize() == 0) {
                return nothing();
            }
            PageRange range = space.pagesOf(managed(segment));
            UndoLog undo = toDevice.undoLog(mirror);
            mirror.lock().takeAlone();
            try {
                Segments.requireCurrent(space, segment); // from here on its addresses stay what they are
                placer.place(mirror, List.of(range));
                MigrationReport report = toDevice.migrate(mirror, range, ToDevice.Intent.WRITE, effort, Cause.PREFETCH, undo);
                leave(mirror, range);
                return report;
            } catch (RuntimeException | Error e) {
                toDevice.undo(undo);
                throw e;
            } finally {
                mirror.lock().leave();
            }
        }
    }

    private static MigrationReport nothing() {
        return new MigrationReport(new PageRange(0, 0));
    }

    /// The pages have moved: that their host memory cannot be given back must not look as if they had not.
    private void leave(DeviceMirror mirror, PageRange range) {
        try {
            departure.left(mirror, range);
        } catch (HmmException e) {
            LOG.warn("host memory of pages on {} stays", mirror, e);
        }
    }

    /// Brings pages home ahead of use; devices give their copies up.
    public MigrationReport prefetchHost(MemorySegment segment) {
        Objects.requireNonNull(segment, "segment");
        try (Lifetime.Hold _ = lifetime.change("prefetchHost")) {
            if (segment.byteSize() == 0) {
                return nothing();
            }
            return Segments.using(space, segment,
                    () -> hostSide.fetch(space.pagesOf(managed(segment)), HostSide.Access.BRING_HOME, Cause.PREFETCH));
        }
    }

    /// How the pages of a segment look from a device. Faults nothing and moves nothing. Unlike all others this takes any range of the heap, holes included.
    public Snapshot snapshot(MemorySegment segment, HmmDevice device) {
        return snapshot(segment, mirrorOf(device).index());
    }

    /// How the pages of a segment look to a mirror that is no device: whatever a device with private memory owns looks empty.
    public Snapshot snapshot(MemorySegment segment) {
        return snapshot(segment, -1);
    }

    private Snapshot snapshot(MemorySegment segment, int device) {
        try (Lifetime.Hold _ = lifetime.use()) {
            Objects.requireNonNull(segment, "segment");
            VaRange range = VaRange.ofLength(segment.address(), segment.byteSize());
            if (range.startBytes() < space.baseBytes() || range.endBytes() > space.baseBytes() + space.capacityBytes()) {
                throw new IllegalArgumentException("range=" + range + " is not within the heap");
            }
            return pages.snapshot(device, space.pagesOf(range));
        }
    }

    /// The page table that kernels of a device read, as it lies in the device's memory: one entry for each page of a segment, as the last launch found it that went through the table, with
    /// what kernels have touched since then. Waits for a launch that goes through it now.
    ///
    /// @throws IllegalStateException if kernels of this device need no table: it holds the whole heap, uses host pages in place, or does not compile kernels
    public List<DeviceTable.Entry> deviceTable(HmmDevice device, MemorySegment segment) {
        Objects.requireNonNull(segment, "segment");
        try (Lifetime.Hold _ = lifetime.change("deviceTable")) {
            DeviceTable table = mirrorOf(device).deviceTable();
            if (table == null) {
                throw new IllegalStateException("device=%s has no page table: its kernels reach the heap without one".formatted(device));
            }
            if (segment.byteSize() == 0) {
                return List.of();
            }
            PageRange range = space.pagesOf(managed(segment));
            table.turn().lock();
            try {
                return table.entries(range);
            } finally {
                table.turn().unlock();
            }
        }
    }

    /// Subscribes to everything that invalidates what a mirror of one's own may know of a segment: the mirror half of HMM by itself. The protocol is in
    /// [io.github.hmm4j.mirror.Notifier].
    ///
    /// @param lock the mirror's lock, held during each callback
    public Subscription mirror(MemorySegment segment, ReentrantLock lock, InvalidationCallback callback) {
        Objects.requireNonNull(lock, "lock");
        Objects.requireNonNull(callback, "callback");
        try (Lifetime.Hold _ = lifetime.use()) {
            return pages.notifier().subscribe(managed(segment), lock, callback);
        }
    }

    /// Where the pages of a segment are.
    public Residency residency(MemorySegment segment) {
        Objects.requireNonNull(segment, "segment");
        try (Lifetime.Hold _ = lifetime.use()) {
            List<PageRange> ranges = segment.byteSize() == 0 ? List.of() : List.of(space.pagesOf(managed(segment)));
            return Residency.of(pages, ranges);
        }
    }

    /// Where all allocations are.
    Residency residency() {
        try (Lifetime.Hold _ = lifetime.use()) {
            return Residency.of(pages, space.regions().stream().map(region -> space.pagesOf(region.range())).toList());
        }
    }

    /// One line for each allocation with where its pages are, like `/proc/PID/smaps`.
    public String smaps() {
        try (Lifetime.Hold _ = lifetime.use()) {
            StringBuilder text = new StringBuilder();
            for (Region region : space.regions()) {
                text.append(region.range()).append(' ').append(Residency.of(pages, space.pagesOf(region.range()))).append(System.lineSeparator());
            }
            return text.toString();
        }
    }

    /// Whether an address lies in an allocation of this heap.
    public boolean contains(long address) {
        return space.regionAt(address).isPresent();
    }

    private VaRange accessible(MemorySegment segment, Access access, String what) {
        return Objects.requireNonNull(access, "access") == Access.WRITE ? writable(segment, what) : managed(segment);
    }

    private VaRange writable(MemorySegment segment, String what) {
        if (Objects.requireNonNull(segment, "segment").isReadOnly()) {
            throw new IllegalArgumentException("%s refused: it changes contents, and the segment is read-only: %s".formatted(what, segment));
        }
        return managed(segment);
    }

    private VaRange managed(MemorySegment segment) {
        return Segments.rangeOf(space, segment);
    }

    private DeviceMirror mirrorOf(HmmDevice device) {
        return Objects.requireNonNull(device, "device").mirrorIn(pages);
    }

    /// The pages of an allocation, or of a page-aligned part of one; both ends of the allocation count as aligned.
    private VaRange wholePages(MemorySegment segment, String what) {
        Segments.requireManaged(space, segment);
        VaRange range = VaRange.ofLength(segment.address(), Math.max(1, segment.byteSize()));
        Segments.requireCurrent(space, segment);
        Region region = space.regionOf(range);
        if (region.owned()) {
            throw new IllegalArgumentException("%s refused: range=%s belongs to an arena, which frees it when it is closed".formatted(what, range));
        }
        return region.widened(range);
    }
}
