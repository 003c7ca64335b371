package io.github.hmm4j.conformance;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.github.hmm4j.ManagedHeap;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/// Managed memory that many threads use at once, and of which every byte is known at every moment.
///
/// Allocations are cut into strips, most of them smaller than a page. A strip belongs to whoever holds its lock, and so does the array that says what it must hold. Owners
/// of strips on the same page know nothing of each other: whatever the page protocol does to a page for one of them, the others must not notice.
final class KnownMemory {

    private final ManagedHeap heap;
    private final int pageBytes;
    private final int argumentBytes;
    private final List<Block> blocks = new ArrayList<>();

    KnownMemory(Rig rig, SplittableRandom random, int blockCount, int maxBlockPages) {
        heap = rig.heap;
        pageBytes = rig.pageBytes();
        argumentBytes = rig.argumentBytes();
        int strips = 0;
        for (int i = 0; i < blockCount; i++) {
            Block block = new Block(2 * pageBytes + argumentBytes * random.nextInt((maxBlockPages - 2) * pageBytes / argumentBytes));
            strips = block.cut(random, strips);
            blocks.add(block);
        }
    }

    /// One allocation. Its segment changes when all its strips are held.
    final class Block {

        private final int lengthBytes;
        private final List<Strip> strips = new ArrayList<>();
        private volatile MemorySegment segment;

        private Block(int lengthBytes) {
            this.lengthBytes = lengthBytes;
            segment = heap.allocate(lengthBytes, 1);
        }

        private int cut(SplittableRandom random, int firstNumber) {
            int number = firstNumber;
            for (int start = 0; start < lengthBytes; number++) {
                int longest = random.nextInt(6) == 0 ? 3 * pageBytes : pageBytes / 2;
                int length = argumentBytes * (1 + random.nextInt(longest / argumentBytes));
                strips.add(new Strip(this, number, start, Math.min(length, lengthBytes - start)));
                start += length;
            }
            return number;
        }

        /// Whoever holds no strip of it may find that it has been freed meanwhile.
        MemorySegment segment() {
            return segment;
        }

        int wholePages() {
            return lengthBytes / pageBytes;
        }

        Held holdAll() {
            return hold(strips);
        }

        /// All strips that have bytes on these pages.
        Held holdPages(int first, int end) {
            return hold(strips.stream().filter(strip -> strip.start < end * pageBytes && first * pageBytes < strip.end()).toList());
        }

        MemorySegment pages(int first, int end) {
            return segment.asSlice((long) first * pageBytes, (long) (end - first) * pageBytes);
        }

        /// The strips are held.
        void becomes(MemorySegment moved) {
            segment = moved;
        }

        /// These bytes of it are zeros now; the strips are held.
        void zeroed(int start, int end) {
            for (Strip strip : strips) {
                for (int at = Math.max(start, strip.start); at < Math.min(end, strip.end()); at++) {
                    strip.bytes[at - strip.start] = 0;
                }
            }
        }

        void zeroed() {
            zeroed(0, lengthBytes);
        }
    }

    /// Part of an allocation with one owner at a time.
    static final class Strip {

        private final Block block;
        private final int number;
        private final int start;
        private final ReentrantLock lock = new ReentrantLock();
        /// What it must hold.
        final byte[] bytes;

        private Strip(Block block, int number, int start, int lengthBytes) {
            this.block = block;
            this.number = number;
            this.start = start;
            bytes = new byte[lengthBytes];
        }

        private int end() {
            return start + bytes.length;
        }

        MemorySegment segment() {
            assert lock.isHeldByCurrentThread();
            return block.segment.asSlice(start, bytes.length);
        }

        MemorySegment expected() {
            return MemorySegment.ofArray(bytes);
        }

        /// @param actual bytes from `offset` on, as somebody has seen them
        void check(MemorySegment actual, int offset) {
            long at = actual.mismatch(expected().asSlice(offset, actual.byteSize()));
            if (at >= 0) {
                throw new AssertionError("byte %d of %s is %d, expected %d"
                        .formatted(offset + at, this, actual.get(JAVA_BYTE, at), bytes[offset + (int) at]));
            }
        }

        @Override
        public String toString() {
            return "strip %d at 0x%x[%d, %d)".formatted(number, block.segment.address(), start, end());
        }
    }

    /// Strips that the calling thread owns until this is closed.
    interface Held extends AutoCloseable {
        @Override
        void close();
    }

    /// Always in the same order, so that nobody waits in a circle.
    static Held hold(List<Strip> strips) {
        List<Strip> inOrder = strips.stream().distinct().sorted(Comparator.comparingInt(strip -> strip.number)).toList();
        inOrder.forEach(strip -> strip.lock.lock());
        return () -> inOrder.reversed().forEach(strip -> strip.lock.unlock());
    }

    Block anyBlock(SplittableRandom random) {
        return blocks.get(random.nextInt(blocks.size()));
    }

    Strip anyStrip(SplittableRandom random) {
        List<Strip> strips = anyBlock(random).strips;
        return strips.get(random.nextInt(strips.size()));
    }

    /// All strips, held.
    void eachStrip(Consumer<Strip> action) {
        for (Block block : blocks) {
            try (Held _ = block.holdAll()) {
                block.strips.forEach(action);
            }
        }
    }

    List<Block> blocks() {
        return Collections.unmodifiableList(blocks);
    }
}
