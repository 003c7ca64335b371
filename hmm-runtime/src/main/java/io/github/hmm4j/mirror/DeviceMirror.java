package io.github.hmm4j.mirror;

import io.github.hmm4j.device.Aperture;
import io.github.hmm4j.device.CopyEngine;
import io.github.hmm4j.device.Device;
import io.github.hmm4j.device.DeviceMemory;
import io.github.hmm4j.device.FrameMemory;
import io.github.hmm4j.device.FramePool;
import io.github.hmm4j.device.HostImage;
import io.github.hmm4j.device.InPlace;
import io.github.hmm4j.device.KernelArgument;
import io.github.hmm4j.device.KernelParameter;
import io.github.hmm4j.error.InPlaceUnavailableException;
import io.github.hmm4j.page.PageTable;
import io.github.hmm4j.page.PageWord;
import io.github.hmm4j.space.AddressSpace;
import io.github.hmm4j.space.PageRange;
import io.github.hmm4j.space.Parts;
import io.github.hmm4j.space.Region;
import io.github.hmm4j.space.ShareLock;
import io.github.hmm4j.space.VaRange;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/// One device's side of the heap: its page table, its frames, and the way to them.
///
/// How pages get frames is one of four ([Placement]):
/// - **in place**, for regions that kernels use where the host has them ([#usesInPlace]): there are no frames, those pages stay
///   the host's, and the device has nothing to do with their words;
/// - **aperture**, when the budget holds the whole heap: frame = page index, so that device address = image + (address - base) for every pointer. One number for all
///   pointers is one piece of device memory; it reaches as far as the heap has allocated, and not to the heap's end ([#growAperture]);
/// - **windows** otherwise: the pages of one kernel argument lie in contiguous frames, wherever those are. Pages that a kernel finds through the [DeviceTable] lie in
///   frames of the pool's paged chunk, in any order.
///
/// - **faulting**, on a device that works in host memory: a range of addresses as large as the heap, frame = page index, of which pages are there when a kernel's load or store has asked for
///   them, as many as the budget holds. Native code moves them; nobody assigns frames.
///
/// Threads: any may read. Assigning frames, and moving pages **to** this device, takes [#lock()]; taking pages **from** it needs only a claim on the page word.
/// Owns the memory of its frames, the copy engine and the device.
public final class DeviceMirror implements AutoCloseable {

    /// Automatic placement is in place if kernels take at most so many times as long there: private pages have to be
    /// copied besides.
    private static final double MOST_SLOWDOWN = 1.1;

    /// An aperture has at least so much, if the heap does: to make it larger all pages come home once.
    private static final long LEAST_APERTURE_BYTES = 64L << 20;

    private final int index;
    private final Device device;
    private final AddressSpace space;
    private final PageTable table;
    private final long budgetBytes;
    private final Placement own; // how pages get frames here: FAULTING, APERTURE or WINDOWS
    private final CopyEngine copies;
    private final FrameMemory memory;
    private final @Nullable FramePool pool; // of windows
    private final @Nullable Aperture aperture; // instead
    private final FrameTable frames;
    private final HeldBlocks held;
    private final UseOrder orderOfWindows = new UseOrder(this::pageOf, this::lastUse);
    private final UseOrder orderOfPaged = new UseOrder(this::pageOf, this::lastUse);
    private final boolean inPlace; // where a region has no advice
    private final boolean heapInPlace; // and in one piece
    private final String placementWhy;
    private volatile @Nullable HostImage hostPages; // once a kernel is to use them
    private final @Nullable DeviceTable deviceTable;
    private final ShareLock lock = new ShareLock();
    private volatile @Nullable PageRange relocating; // written by who has the lock alone
    private final AtomicInteger clock = new AtomicInteger();
    private volatile boolean knowsQuotas; // some region has had one, so that it is worth to look

    /// @param index       number of the device in page words, 0 to 15
    /// @param budgetBytes device memory that may be used for pages
    public DeviceMirror(int index, Device device, AddressSpace space, PageTable table, long budgetBytes) {
        this(index, device, space, table, budgetBytes, false, PlacementMode.PRIVATE);
    }

    /// @param faulting  whether kernels shall ask for their pages by touching them
    /// @param placement whether kernels shall use host pages where they are
    /// @throws IllegalArgumentException if they shall fault, and the device cannot have a range as large as the heap
    /// @throws InPlaceUnavailableException if they shall use host pages, and the device does not prove that they do
    public DeviceMirror(int index, Device device, AddressSpace space, PageTable table, long budgetBytes,
            boolean faulting, PlacementMode placement) {
        this.index = index;
        this.device = device;
        this.space = space;
        this.table = table;
        this.budgetBytes = budgetBytes;
        if (faulting && space.capacityBytes() > device.info().maxAllocationBytes()) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "deviceFaults: heapBytes=%d, must be at most maxAllocationBytes=%d of device=%s, whose kernels work in one allocation as large as the heap:"
                    + " open a smaller one (HmmBuilder.heap)", space.capacityBytes(), device.info().maxAllocationBytes(), device.info().name()));
        }
        boolean isPrivate = placement == PlacementMode.PRIVATE
                || (placement == PlacementMode.AUTO && !device.info().unifiedMemory());
        InPlace tried = faulting || isPrivate ? null : device.inPlace(space.host());
        if (tried != null && !tried.proven() && placement == PlacementMode.IN_PLACE) {
            throw refused(tried);
        }
        inPlace = tried != null && tried.proven()
                && (placement == PlacementMode.IN_PLACE || tried.slowdown() <= MOST_SLOWDOWN);
        heapInPlace = tried != null && inPlace && (tried.byAddress() || space.capacityBytes() <= device.info().maxAllocationBytes());
        boolean fits = space.capacityBytes() <= Math.min(budgetBytes, device.info().maxAllocationBytes());
        own = faulting ? Placement.FAULTING : fits ? Placement.APERTURE : Placement.WINDOWS;
        placementWhy = why(placement, tried);
        int pageBytes = space.pageSize().bytes();
        Parts parts = new Parts();
        try {
            memory = parts.add(new FrameMemory(device, pageBytes, isAperture() ? space.capacityBytes() : budgetBytes));
            pool = isAperture() ? null : new FramePool(memory);
            aperture = isAperture() ? new Aperture(memory) : null;
            frames = parts.add(new FrameTable(space.pageCount(), Math.max(1, memory.capacityFrames()), table.blockShift()));
            held = parts.add(new HeldBlocks(table));
            copies = parts.add(device.copyEngine(space.host().alias().address(), space.capacityBytes()));
            TableLayout layout = TableLayout.of(space.pageSize(), space.pageCount());
            boolean paged = !isAperture() && !isHeapInPlace() && layout.totalBytes() <= device.info().maxAllocationBytes();
            deviceTable = paged ? parts.add(new DeviceTable(this, layout)) : null;
        } catch (RuntimeException | Error e) {
            parts.closeAfter(e);
            throw e;
        }
    }

    private String why(PlacementMode asked, @Nullable InPlace tried) {
        if (isFaulting()) {
            return "its kernels fault";
        } else if (asked == PlacementMode.PRIVATE) {
            return "in place was not asked for";
        } else if (tried == null) {
            return "it has memory of its own";
        }
        return tried.why() + (tried.proven() && !inPlace ? ", which is too slow to be chosen" : "");
    }

    public int index() {
        return index;
    }

    public Device device() {
        return device;
    }

    public int pageBytes() {
        return space.pageSize().bytes();
    }

    public CopyEngine copies() {
        return copies;
    }

    /// Device memory that pages may take; an aperture takes as much of it as the heap has allocated, or up to twice that.
    public long budgetBytes() {
        return budgetBytes;
    }

    /// Where its frames lie.
    public FrameMemory memory() {
        return memory;
    }

    /// Gives them out, unless this [#isAperture].
    public FramePool pool() {
        return there(pool);
    }

    /// Has them all, if this [#isAperture].
    public Aperture aperture() {
        return there(aperture);
    }

    private <T> T there(@Nullable T way) {
        if (way == null) {
            throw new IllegalStateException("pages of device=" + deviceName() + " get frames in another way, placement=" + own);
        }
        return way;
    }

    /// Addresses of this device's page table, for native code. Frames and pages are written with one added, so that zero is none.
    ///
    /// @param frameOfPage   by page
    /// @param pageOfFrame   by frame
    /// @param regionOfFrame by frame: whose bytes it last held
    /// @param lastUse       4 bytes for each frame: clock of the last launch
    /// @param held          8 bytes for each 2 MiB of pages: what launches have found of them
    /// @param blockUse      4 bytes for the same: clock of the last launch that used all of them
    public record NativeTables(ExtentTable.Addresses frameOfPage, ExtentTable.Addresses pageOfFrame, ExtentTable.Addresses regionOfFrame, long lastUse, long held, long blockUse) {}

    public NativeTables nativeTables() {
        return frames.addresses(held);
    }

    /// Whether kernels ask for their pages by touching them, and native code moves these: nothing is placed or migrated for a launch.
    public boolean isFaulting() {
        return own == Placement.FAULTING;
    }

    /// How pages of this device get frames.
    public Placement placement() {
        return inPlace ? Placement.IN_PLACE : own;
    }

    /// Why that is so, in one line for people.
    public String placementWhy() {
        return placementWhy;
    }

    /// Whether kernels of this device are given the host's pages of a region where they are, as things are now.
    public boolean usesInPlace(Region region) {
        return !isFaulting() && region.advice().isInPlaceOn(index, inPlace);
    }

    /// Whether kernels that follow pointers to all of the heap find it in place.
    public boolean isHeapInPlace() {
        return heapInPlace;
    }

    /// Whether kernels have ever been given host pages in place here, or are about to: who moves pages looks for such
    /// launches then.
    public boolean worksInPlace() {
        return hostPages != null;
    }

    /// Before a launch in place is published: from then on [#worksInPlace()].
    public synchronized HostImage hostPages() {
        HostImage known = hostPages;
        if (known == null) {
            known = new HostImage(device, space.host());
            hostPages = known;
        }
        return known;
    }

    /// Refuses advice that this device cannot follow.
    ///
    /// @throws InPlaceUnavailableException if kernels do not use host pages where they are
    /// @throws IllegalArgumentException if they ask for their pages by touching them
    public void requireInPlace() {
        if (isFaulting()) {
            throw new IllegalArgumentException(
                    "placement=in_place refused: kernels of device=%s fault".formatted(deviceName()));
        }
        InPlace tried = device.inPlace(space.host());
        if (!tried.proven()) {
            throw refused(tried);
        }
    }

    private InPlaceUnavailableException refused(InPlace tried) {
        boolean elsewhere = space.host().block().isEmpty() && device.inPlaceInShared().proven();
        return new InPlaceUnavailableException(deviceName(), tried.why()
                + (elsewhere ? "; in memory that it allocates itself they do: open the heap with checked access and placement=in_place" : ""));
    }

    /// Bytes of device memory that pages take now.
    public long usedBytes() {
        return (long) (isFaulting() ? pagesThere() : memory.usedFrames()) * pageBytes();
    }

    private int pagesThere() {
        return (int) held(new PageRange(0, space.pageCount()));
    }

    /// How many pages of a range take memory of this device: those that have frames, also if these are only reserved; where kernels fault, those that are there.
    public long held(PageRange pages) {
        long count = 0;
        for (long page = table.writtenFrom(pages.first(), pages.end()); page < pages.end(); page = table.writtenFrom(page + 1, pages.end())) {
            count += (isFaulting() ? PageWord.isReadableOn(table.word(page), index) : frames.frameOf(page) >= 0) ? 1 : 0;
        }
        return count;
    }

    /// Before the first region gets a quota here: from then on [#quotas] looks for them.
    ///
    /// @return whether it is the first
    public boolean quotasBegin() {
        boolean first = !knowsQuotas;
        knowsQuotas = true;
        return first;
    }

    /// Whether allocations share this device's memory, so that a quota of one leaves room for others: not where each page has its place, nor where kernels use the host's.
    public boolean sharesMemory() {
        return isFaulting() || !(isAperture() || inPlace);
    }

    /// The quotas of those regions that pages are of, as things are now: none where nothing has to share the device's memory, and none that is larger than its region.
    ///
    /// @param ranges each of one region
    public List<Quota> quotas(List<PageRange> ranges) {
        if (!hasQuotas()) {
            return List.of();
        }
        List<Quota> quotas = new ArrayList<>();
        for (PageRange range : ranges) {
            Quota quota = space.regionAt(space.addressOf(range.first())).map(this::quotaOf).orElse(null);
            if (quota != null && !quotas.contains(quota)) {
                quotas.add(quota);
            }
        }
        return quotas;
    }

    /// The regions that have all that they may have here, or more.
    public List<PageRange> fullRegions() {
        List<PageRange> full = new ArrayList<>();
        for (Region region : hasQuotas() ? space.regions() : List.<Region>of()) {
            Quota quota = quotaOf(region);
            if (quota != null && held(quota.region()) >= quota.pages()) {
                full.add(quota.region());
            }
        }
        return full;
    }

    private boolean hasQuotas() {
        return knowsQuotas && !isAperture();
    }

    private @Nullable Quota quotaOf(Region region) {
        PageRange pages = space.pagesOf(region.range());
        long quota = region.advice().quotaOn(index);
        return quota < pages.count() ? new Quota(pages, quota) : null;
    }

    /// Whether kernels can follow pointers to all of the heap without looking them up.
    public boolean reachesHeap() {
        return isAperture() || isHeapInPlace();
    }

    /// Whether one pointer offset holds for the whole heap in the frames that pages have here.
    public boolean isAperture() {
        return own != Placement.WINDOWS;
    }

    /// The page table that kernels of this device can read; null where they need none, or it cannot have one.
    public @Nullable DeviceTable deviceTable() {
        return deviceTable;
    }

    /// Whether kernels find the page through the table, if its word allows it.
    public boolean isPaged(long page) {
        int frame = frames.frameOf(page);
        return frame != FrameTable.NONE && memory.isPaged(frame);
    }

    /// Had alone while frames are assigned and pages are moved to this device, and shared by launches from making their arguments to the enqueued kernel.
    ///
    /// Who has it alone opens it while pages only travel: then no frame is given up, none changes its page ([but those that are said][#relocating]), and no page is there whose old contents are dead and whose
    /// kernel is still to come. So launches on what is there wait for no migration of others. Rank: before the host lock; never taken while a page is claimed, but shut again: who shares it waits for no claim.
    public ShareLock lock() {
        return lock;
    }

    /// Whether a kernel could take these pages as one pointer: they have frames, one behind the other. So it stays as long as the caller has the lock, shared or alone.
    public boolean isPlaced(PageRange pages) {
        PageRange moving = relocating;
        if (moving != null && moving.overlaps(pages)) {
            return false;
        }
        return isAperture() ? pages.end() <= memory.frames() : frames.isContiguous(pages)
                && memory.isContiguous(frames.frameOf(pages.first()), frames.frameOf(pages.end() - 1));
    }

    /// The pages of a range that this device cannot use as they are, in order and as few ranges as possible: what a migration has to look at. Those whose protection
    /// forbids the use are among them.
    ///
    /// @param writes whether the device must be the owner, or a read copy will do
    public List<PageRange> missing(PageRange pages, boolean writes) {
        List<PageRange> missing = new ArrayList<>();
        long first = -1;
        long page = pages.first();
        while (page < pages.end()) {
            long known = held.endOfHeld(page, pages.end(), writes);
            boolean isThere = known > page || canUse(table.word(page), writes);
            if (isThere && first >= 0) {
                missing.add(new PageRange(first, page));
                first = -1;
            } else if (!isThere && first < 0) {
                first = page;
            }
            page = Math.max(known, page + 1);
        }
        if (first >= 0) {
            missing.add(new PageRange(first, pages.end()));
        }
        return missing;
    }

    /// The end of the block of 2 MiB that begins with `page`, if it ends by `end` and all of its pages are known to be this device's, to be written; else `page`.
    long endOfOwned(long page, long end) {
        return held.endOfHeld(page, end, true);
    }

    /// Frame of a page, or -1.
    public int frameOf(long page) {
        return isFaulting() ? (int) page : frames.frameOf(page);
    }

    /// Page of a frame, or -1.
    public long pageOf(int frame) {
        return frames.pageOf(frame);
    }

    public void assign(long page, int frame) {
        assert lock.isShut();
        table.writeOut(page); // who frees the page looks for frames where that was done
        frames.assign(page, frame);
        frames.setLastUse(frame, clock.get());
        if (!memory.isPaged(frame)) {
            frames.setRegion(frame, 0); // its memory may be other than that with the same number before
        }
    }

    /// Takes away the frame of a page and returns it, or -1. The frame is not free yet. Nobody knows what it holds when it is used again: its memory may have been
    /// given back and taken again by then.
    public int unassign(long page) {
        assert lock.isShut();
        return frames.unassign(page);
    }

    /// The same where the frame goes to another page, as far as its memory stays where it is until then: it still holds bytes of the region that it held. Takes nothing from the Java heap.
    public int vacate(long page) {
        int frame = frames.frameOf(page);
        int regionId = isPaged(page) ? frames.regionOf(frame) : 0;
        unassign(page);
        if (regionId != 0) {
            frames.setRegion(frame, regionId);
        }
        return frame;
    }

    /// Native code is about to give these pages other frames, with the lock open, or has: null. Until then they are nowhere, for who only shares the lock. The caller has it alone, and shut.
    public void relocating(@Nullable PageRange pages) {
        assert lock.isShut();
        relocating = pages;
    }

    /// Frames whose pages have not been used for longest ([UseOrder]), in that order; none where nobody has to give one up.
    ///
    /// @param most   how many, if there are so many
    /// @param wanted pages whose frames are to be named
    public int[] oldestFrames(FramePool.Room room, int most, LongPredicate wanted) {
        assert lock.isAlone();
        UseOrder order = room == FramePool.Room.PAGED ? orderOfPaged : orderOfWindows;
        return isAperture() ? new int[0] : order.oldest(pool().framesOf(room), most, clock.get(), wanted);
    }

    /// Whether the frame last held bytes of another region, which must not show.
    public boolean holdsForeignBytes(int frame, int regionId) {
        return frames.regionOf(frame) != regionId;
    }

    public void setRegion(int frame, int regionId) {
        assert lock.isAlone(); // perhaps open: who shares it writes none
        frames.setRegion(frame, regionId);
    }

    /// Lets the clock tick for a migration, and returns what it shows then.
    public int tick() {
        return clock.incrementAndGet();
    }

    /// Remembers that a page came here at that time.
    public void arrived(long page, int now) {
        int frame = frames.frameOf(page);
        if (frame != FrameTable.NONE) {
            frames.setLastUse(frame, now);
        }
    }

    /// Clock of the last use of a frame; the clock ticks with every launch and migration and may wrap around.
    public int lastUse(int frame) {
        long page = frames.pageOf(frame);
        return page == FrameTable.NONE ? frames.lastUse(frame) : held.laterUse(frames.lastUse(frame), page);
    }

    public int clock() {
        return clock.get();
    }

    /// Device memory that a kernel can take as the pointer to `range`. The pages must be placed. To be given back with [#release] once it is enqueued.
    public DeviceMemory argument(VaRange range) {
        requireArgument(range);
        long page = space.pageOf(range.startBytes());
        return memory.slice(frameOf(page), range.startBytes() - space.addressOf(page), range.lengthBytes());
    }

    /// The same for a range at which this device cannot start a pointer: a copy of it, to be closed once the kernel is enqueued.
    public KernelArgument.Copied copiedArgument(VaRange range, boolean writes) {
        long page = space.pageOf(range.startBytes());
        int frame = frames.frameOf(page);
        DeviceMemory copy = device.scratch(range.lengthBytes());
        return new KernelArgument.Copied(memory.memoryOf(frame), memory.offsetOf(frame) + range.startBytes() - space.addressOf(page), copy, writes);
    }

    /// Memory for the pointer to `range` where the host has it. To be given back with [#release] once the kernel is
    /// enqueued.
    public DeviceMemory argumentInPlace(VaRange range) {
        HostImage pages = hostPages();
        if (!pages.isByAddress()) {
            requireArgument(range);
        }
        return pages.slice(range.startBytes() - space.baseBytes(), range.lengthBytes());
    }

    /// The copy of a range at which this device cannot start a pointer, as [#copiedArgument] makes it.
    ///
    /// @param whole what it is copied from and back to, to be given back with [#release] once the kernel is enqueued
    public record CopiedInPlace(KernelArgument.Copied copied, DeviceMemory whole) {}

    /// The same in place.
    public CopiedInPlace copiedInPlace(VaRange range, boolean writes) {
        long offset = range.startBytes() - space.baseBytes();
        long before = offset % device.info().baseAlignmentBytes();
        DeviceMemory whole = hostPages().slice(offset - before, before + range.lengthBytes());
        try {
            DeviceMemory copy = device.scratch(range.lengthBytes());
            return new CopiedInPlace(new KernelArgument.Copied(whole, before, copy, writes), whole);
        } catch (RuntimeException | Error e) {
            release(whole);
            throw e;
        }
    }

    /// Whether this device can start a pointer at a range, wherever its pages are: parts of a buffer begin at multiples of its alignment. If not, a kernel gets a copy of the whole range
    /// ([#copiedArgument]), since it reckons from the first byte; how others do without: ARCHITECTURE.md, section 5.
    public boolean startsPointersAt(VaRange range) {
        return (range.startBytes() - space.baseBytes()) % device.info().baseAlignmentBytes() == 0;
    }

    /// The same for a pointer of this parameter, where the host has the pages.
    public boolean startsPointersInPlaceAt(VaRange range, KernelParameter parameter) {
        boolean suitsType = hostPages().isByAddress() && range.startBytes() % parameter.alignmentBytes().orElse(device.info().baseAlignmentBytes()) == 0;
        return suitsType || startsPointersAt(range);
    }

    private void requireArgument(VaRange range) {
        if (!startsPointersAt(range)) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "range=%s does not start at a multiple of %d bytes, as pointers of device=%s must",
                    range, device.info().baseAlignmentBytes(), device.info().name()));
        }
    }

    /// Gives an argument back. A launch that is enqueued keeps what it uses alive (`clReleaseMemObject`).
    public void release(DeviceMemory argument) {
        HostImage pages = hostPages;
        if (pages != null) {
            pages.release(argument);
        }
        memory.release(argument);
    }

    /// The whole heap as one piece of device memory, for kernels that follow pointers.
    ///
    /// @throws IllegalStateException if this device has no aperture
    public DeviceMemory image() {
        if (isHeapInPlace()) {
            return hostPages().slice(0, space.capacityBytes());
        }
        if (!isAperture()) {
            throw new IllegalStateException(String.format(Locale.ROOT, "device=%s has no aperture: heapBytes=%d exceeds"
                            + " its budgetBytes=%d or maxAllocationBytes=%d; open a smaller heap, or let the kernel"
                            + " page (HMM_READ)",
                    device.info().name(), space.capacityBytes(), budgetBytes, device.info().maxAllocationBytes()));
        }
        growAperture(1); // unless it has memory: then that reaches as far as what the kernel may follow, whose pages are placed
        return memory.slice(0, 0, space.pageSize().bytesFor(memory.frames())); // frame = page, whether or not the first page has ever been here
    }

    /// Takes memory for an aperture, unless it has some. A heap is address space, most of which is never allocated, while device memory is taken when it is asked for: a buffer as large as
    /// the heap would take from everybody else what no page ever uses. So it reaches to the end of the last region, with as much again for what is allocated next: it is made larger as often
    /// as the heap doubles, and what comes home for that is no more in all than what is there in the end.
    ///
    /// @param pages of the heap, that it must reach as far as; the caller has brought everything home and given the memory back if it does not
    public void growAperture(long pages) {
        long capacity = space.pageCount();
        long least = Math.min(capacity, Math.max(Math.max(pages, space.pageSize().pagesFor(space.allocatedEndBytes() - space.baseBytes())), space.pageSize().pageOf(LEAST_APERTURE_BYTES)));
        long wished = Math.min(capacity, Long.highestOneBit(2 * least - 1)); // the next power of two
        aperture().allocate(Math.toIntExact(least), Math.toIntExact(wished));
    }

    /// Whether kernels of this device may start to read a page.
    public boolean canRead(long word) {
        return PageWord.isReadableOn(word, index);
    }

    /// Whether kernels of this device may start to use a page as it is: its copy is valid in that mode, and the protection allows the use.
    public boolean canUse(long word, boolean writes) {
        return writes ? PageWord.isOwnedBy(word, index) && PageWord.isWritable(word) : canRead(word) && PageWord.isReadable(word);
    }

    /// What the driver calls the device.
    public String deviceName() {
        return device.info().name();
    }

    /// Closes what kernels use in place, the copy engine, the frames and the device, in this order. Nothing may be in
    /// flight.
    @Override
    public void close() {
        try (device; held; frames; memory; copies; deviceTable; HostImage _ = hostPages) {
            return;
        }
    }

    @Override
    public String toString() {
        return "device " + index + " (" + device.info().name() + ")";
    }
}
