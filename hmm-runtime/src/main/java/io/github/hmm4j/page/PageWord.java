package io.github.hmm4j.page;

import io.github.hmm4j.space.Protection;

/// The encoding of a page's state in 64 bits: one encoding for all devices, for Java and for native code.
///
/// ```
///   63          44 43 42         35 34        27 26 25 24 23            8 7      4 3     0
///  +--------------+--+-------------+------------+--+--+--+---------------+--------+-------+
///  |   version    |Z | write pins  | read pins  |W |R |I |  sharer set   | device | state |
///  +--------------+--+-------------+------------+--+--+--+---------------+--------+-------+
///   20             1  8             8            1  1  1  16              4        4
/// ```
///
/// - *device*: owner in `DEVICE`; the target of a `TO_DEVICE` claim; the source of a `TO_HOST` claim that came from `DEVICE`.
/// - *sharers*: devices with a valid copy to read; beside the host's, but in `PEERS` and in the `TO_HOST` claim of such a page.
/// - *I*: the intent of a claim, set for write.
/// - *R*, *W*: the protection **denies** reading or writing, so that an all-zero word is an untouched, unprotected page and a new table needs no initialisation.
/// - *pins*: open host views of each kind, at most [#MAX_PINS].
/// - *Z*: the host has read this `EMPTY` page (the zero page of the kernel). Of a `TO_HOST` claim: the kernel that it waits for has failed, so that what was on the device is lost.
/// - *version*: changes with every transition, wraps around. A claim lives for milliseconds; a million transitions of one page do not fit in it.
public final class PageWord {

    /// Devices that one address space can have.
    public static final int MAX_DEVICES = 16;
    /// Views of one kind that can be open on one page at once.
    public static final int MAX_PINS = 255;

    private static final int DEVICE_SHIFT = 4;
    private static final int SHARERS_SHIFT = 8;
    private static final long SHARERS_MASK = 0xffffL << SHARERS_SHIFT;
    private static final long WRITE_INTENT = 1L << 24;
    private static final long DENY_READ = 1L << 25;
    private static final long DENY_WRITE = 1L << 26;
    private static final int READ_PINS_SHIFT = 27;
    private static final int WRITE_PINS_SHIFT = 35;
    private static final long MARKED_READ = 1L << 43;
    private static final int VERSION_SHIFT = 44;
    private static final long ONE_VERSION = 1L << VERSION_SHIFT;

    /// Bits that describe the place of the page, as opposed to protection, pins and version.
    private static final long PLACE_MASK = 0xf | 0xfL << DEVICE_SHIFT | SHARERS_MASK | WRITE_INTENT | MARKED_READ;

    /// Of a word in a block that was never written: what all of its words are. The highest bits of the version, so that no two kinds have the same.
    static final long KIND = 3L << 62;
    private static final long WITHOUT_REGION = 1L << 62;
    private static final long READ_ONLY = 2L << 62;

    /// The numbers of the encoding, for comparing them with those of native code.
    public static final class Layout {

        public static final long DEVICE_SHIFT = PageWord.DEVICE_SHIFT;
        public static final long SHARERS_MASK = PageWord.SHARERS_MASK;
        public static final long WRITE_INTENT = PageWord.WRITE_INTENT;
        public static final long DENY_READ = PageWord.DENY_READ;
        public static final long DENY_WRITE = PageWord.DENY_WRITE;
        public static final long READ_PINS_SHIFT = PageWord.READ_PINS_SHIFT;
        public static final long WRITE_PINS_SHIFT = PageWord.WRITE_PINS_SHIFT;
        public static final long MARKED_READ = PageWord.MARKED_READ;
        public static final long VERSION_SHIFT = PageWord.VERSION_SHIFT;

        private Layout() {}
    }

    private PageWord() {}

    public static PageState state(long word) {
        return PageState.of((int) (word & 0xf));
    }

    /// Owner, target or source; 0 where the state has none.
    public static int device(long word) {
        return (int) (word >>> DEVICE_SHIFT) & 0xf;
    }

    /// Bit d is set when device d has a read copy.
    public static int sharers(long word) {
        return (int) (word >>> SHARERS_SHIFT) & 0xffff;
    }

    public static boolean isSharedBy(long word, int device) {
        return (sharers(word) >>> device & 1) != 0;
    }

    public static boolean hasWriteIntent(long word) {
        return (word & WRITE_INTENT) != 0;
    }

    public static boolean isMarkedRead(long word) {
        return (word & MARKED_READ) != 0;
    }

    public static int readPins(long word) {
        return (int) (word >>> READ_PINS_SHIFT) & MAX_PINS;
    }

    public static int writePins(long word) {
        return (int) (word >>> WRITE_PINS_SHIFT) & MAX_PINS;
    }

    /// Whether open views forbid a device to use the page: a write view forbids all use, a read view only writing.
    public static boolean isPinnedAgainst(long word, boolean deviceWrites) {
        return writePins(word) != 0 || (deviceWrites && readPins(word) != 0);
    }

    public static boolean isPinned(long word) {
        return (readPins(word) | writePins(word)) != 0;
    }

    public static boolean isReadable(long word) {
        return (word & DENY_READ) == 0;
    }

    public static Protection protection(long word) {
        return isWritable(word) ? Protection.READ_WRITE : isReadable(word) ? Protection.READ : Protection.NONE;
    }

    public static boolean isWritable(long word) {
        return (word & (DENY_WRITE | DENY_READ)) == 0;
    }

    public static int version(long word) {
        return (int) (word >>> VERSION_SHIFT);
    }

    /// Whether a device holds a copy it may read. A claim by another device leaves it valid.
    public static boolean isReadableOn(long word, int device) {
        return switch (state(word)) {
            case DEVICE -> device(word) == device;
            case SHARED, PEERS, TO_DEVICE -> isSharedBy(word, device);
            default -> false;
        };
    }

    /// Where the page is valid: bit 0 is the host, bit d + 1 is device d. A claim leaves it as it is (of one of several devices that have a page without the host, the word says that
    /// the host has it, too); 0 if it is valid nowhere, or empty.
    public static int validAt(long word) {
        int shared = 1 | sharers(word) << 1;
        int owner = 1 << (device(word) + 1);
        return switch (state(word)) {
            case EMPTY, UNMAPPED, POISONED -> 0;
            case HOST, SHARED, TO_DEVICE -> shared;
            case DEVICE -> owner;
            case PEERS -> sharers(word) << 1;
            case TO_HOST -> sharers(word) == 0 ? owner : shared;
        };
    }

    /// What kernels of all devices may start to do with the page as it is: bit d for reading on device d, bit 16 + d
    /// for writing there.
    static int rights(long word) {
        if (!isReadable(word) || isPinnedAgainst(word, false)) {
            return 0;
        }
        return switch (state(word)) {
            case DEVICE -> (isWritable(word) && !isPinnedAgainst(word, true) ? 0x10001 : 1) << device(word);
            case SHARED, PEERS, TO_DEVICE -> sharers(word);
            default -> 0;
        };
    }

    /// Whether a device holds the only copy.
    public static boolean isOwnedBy(long word, int device) {
        return state(word) == PageState.DEVICE && device(word) == device;
    }

    /// Whether the page is on devices, and the host's copy is not its contents.
    public static boolean isAway(long word) {
        return state(word) == PageState.DEVICE || state(word) == PageState.PEERS;
    }

    /// Whether nothing but pins has changed between two words of one page: a claim is still the claimer's.
    public static boolean isSameVersion(long word, long other) {
        return version(word) == version(other);
    }

    // Words of blocks that were never written ([PageTable]).

    /// Without a region.
    public static long unwrittenWithoutRegion() {
        return WITHOUT_REGION | PageState.UNMAPPED.ordinal();
    }

    /// Of a region, untouched.
    public static long unwritten(Protection protection) {
        return switch (protection) {
            case READ_WRITE -> 0;
            case READ -> READ_ONLY | DENY_WRITE;
            case NONE -> KIND | DENY_READ | DENY_WRITE;
        };
    }

    /// The word of a kind, of which only those bits count.
    public static long ofKind(long kind) {
        return switch ((int) (kind >>> 62)) {
            case 0 -> unwritten(Protection.READ_WRITE);
            case 1 -> unwrittenWithoutRegion();
            case 2 -> unwritten(Protection.READ);
            default -> unwritten(Protection.NONE);
        };
    }

    // What follows makes the next word from the present one. All but the pins raise the version.

    public static long toEmpty(long word) {
        return place(word, PageState.EMPTY, 0, 0, 0);
    }

    public static long toEmptyMarkedRead(long word) {
        return place(word, PageState.EMPTY, 0, 0, MARKED_READ);
    }

    public static long toHost(long word) {
        return place(word, PageState.HOST, 0, 0, 0);
    }

    /// Shared by the host and these devices; `HOST` if the set is empty.
    public static long toShared(long word, int sharers) {
        return sharers == 0 ? toHost(word) : place(word, PageState.SHARED, 0, sharers, 0);
    }

    public static long toDevice(long word, int device) {
        return place(word, PageState.DEVICE, device, 0, 0);
    }

    /// On these devices, at least one, and not on the host: `DEVICE` if it is one.
    public static long toPeers(long word, int holders) {
        return Integer.bitCount(holders) == 1 ? toDevice(word, Integer.numberOfTrailingZeros(holders)) : place(word, PageState.PEERS, 0, holders, 0);
    }

    /// Claimed for a device; the read copies that exist stay valid until the commit.
    public static long toClaimedForDevice(long word, int device, boolean write) {
        return place(word, PageState.TO_DEVICE, device, sharers(word), write ? WRITE_INTENT : 0);
    }

    /// Claimed for the host; where it was stays readable in the word.
    public static long toClaimedForHost(long word, boolean write) {
        return place(word, PageState.TO_HOST, device(word), sharers(word), write ? WRITE_INTENT : 0);
    }

    public static long toPoisoned(long word) {
        return place(word, PageState.POISONED, 0, 0, 0);
    }

    /// Without a region; protection goes with it.
    public static long toUnmapped(long word) {
        return place(word & ~(DENY_READ | DENY_WRITE), PageState.UNMAPPED, 0, 0, 0);
    }

    public static long withProtection(long word, Protection protection) {
        long open = (word & ~(DENY_READ | DENY_WRITE)) + ONE_VERSION;
        return switch (protection) {
            case NONE -> open | DENY_READ | DENY_WRITE;
            case READ -> open | DENY_WRITE;
            case READ_WRITE -> open;
        };
    }

    /// One more open view.
    ///
    /// @throws IllegalStateException if there are [#MAX_PINS] already
    public static long pinned(long word, boolean write) {
        requireRoomForPin(word, write);
        return word + (1L << (write ? WRITE_PINS_SHIFT : READ_PINS_SHIFT));
    }

    /// Refuses one open view too many.
    ///
    /// @throws IllegalStateException if there are [#MAX_PINS] already
    public static void requireRoomForPin(long word, boolean write) {
        if ((write ? writePins(word) : readPins(word)) == MAX_PINS) {
            throw new IllegalStateException(
                    "more than " + MAX_PINS + " views are open on one page: close some, or share one");
        }
    }

    static long unpinned(long word, boolean write) {
        assert (write ? writePins(word) : readPins(word)) > 0 : "unpinned once too often: " + describe(word);
        return word - (1L << (write ? WRITE_PINS_SHIFT : READ_PINS_SHIFT));
    }

    /// For people: `DEVICE(1) rw v7`.
    public static String describe(long word) {
        StringBuilder text = new StringBuilder(state(word).name());
        switch (state(word)) {
            case DEVICE -> text.append('(').append(device(word)).append(')');
            case TO_DEVICE, TO_HOST -> text.append('(').append(device(word)).append(hasWriteIntent(word) ? ",write)" : ",read)");
            case SHARED, PEERS -> text.append("(0b").append(Integer.toBinaryString(sharers(word))).append(')');
            default -> {}
        }
        text.append(isWritable(word) ? " rw" : isReadable(word) ? " r" : " none").append(" v").append(version(word));
        if (isPinned(word)) {
            text.append(" pins=").append(readPins(word)).append('r').append(writePins(word)).append('w');
        }
        return text.toString();
    }

    private static long place(long word, PageState state, int device, int sharers, long flags) {
        long placed = state.ordinal() | (long) device << DEVICE_SHIFT | (long) sharers << SHARERS_SHIFT | flags;
        return ((word & ~PLACE_MASK) | placed) + ONE_VERSION;
    }
}
