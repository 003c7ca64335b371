package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.error.AccessViolationException;
import io.github.hmm4j.error.HostAccessUnavailableException;
import io.github.hmm4j.pager.HostAccess.Mode;
import io.github.hmm4j.pager.HostView;
import io.github.hmm4j.space.Protection;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.IllegalBlockingModeException;
import java.nio.channels.Pipe;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.opentest4j.TestAbortedException;

/// Files and channels of all tempers, on every way of host access.
class HeapIoTest {

    private static final int SMALL = 200_003; // some pages, and a part of one

    @TempDir
    private Path folder;

    @ParameterizedTest
    @EnumSource
    void writesAndReadsAFileThatIsLargerThanAChunk(Mode mode) throws IOException {
        try (Hmm hmm = open(mode)) {
            byte[] bytes = random((int) HeapIo.CHUNK_BYTES + SMALL);
            MemorySegment segment = onDevice(hmm, bytes);
            Path file = folder.resolve("large");
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
                HeapIo.write(hmm.heap(), segment, channel);
                assertThat(channel.position()).isEqualTo(bytes.length);
            }
            assertThat(Files.mismatch(file, Files.write(folder.resolve("expected"), bytes))).isEqualTo(-1);

            MemorySegment read = HeapIo.readFile(hmm.heap(), file);
            assertThat(read.byteSize()).isEqualTo(bytes.length);
            hmm.heap().prefetch(read, hmm.device());
            assertThat(Arrays.mismatch(bytesOf(hmm, read), bytes)).isEqualTo(-1);
        }
    }

    @ParameterizedTest
    @EnumSource
    void leavesBytesBesideASliceAlone(Mode mode) throws IOException {
        try (Hmm hmm = open(mode)) {
            byte[] bytes = random(SMALL);
            MemorySegment segment = onDevice(hmm, bytes);
            MemorySegment slice = segment.asSlice(77_777, 50_001);
            assertThat(HeapIo.read(hmm.heap(), Channels.newChannel(new ByteArrayInputStream(new byte[60_000])), slice)).isEqualTo(50_001);

            Arrays.fill(bytes, 77_777, 77_777 + 50_001, (byte) 0);
            assertThat(bytesOf(hmm, segment)).isEqualTo(bytes);
        }
    }

    @ParameterizedTest
    @EnumSource
    void goesOnAfterShortReadsAndWrites(Mode mode) throws IOException {
        try (Hmm hmm = open(mode)) {
            byte[] bytes = random(SMALL);
            MemorySegment segment = onDevice(hmm, bytes);
            Trickle trickle = new Trickle(SMALL, 997);
            HeapIo.write(hmm.heap(), segment, trickle);
            assertThat(trickle.all.array()).isEqualTo(bytes);

            trickle.all.flip();
            MemorySegment read = hmm.heap().allocate(SMALL);
            assertThat(HeapIo.read(hmm.heap(), trickle, read)).isEqualTo(SMALL);
            assertThat(bytesOf(hmm, read)).isEqualTo(bytes);
        }
    }

    @ParameterizedTest
    @EnumSource
    void saysWhereTheChannelEndedAndLeavesTheRest(Mode mode) throws IOException {
        try (Hmm hmm = open(mode)) {
            byte[] bytes = random(SMALL);
            MemorySegment segment = onDevice(hmm, bytes);
            Trickle ends = new Trickle(70_000, 30_000);
            assertThat(HeapIo.read(hmm.heap(), ends, segment)).isEqualTo(70_000);
            assertThat(HeapIo.read(hmm.heap(), ends, segment)).as("at its end").isZero();

            Arrays.fill(bytes, 0, 70_000, (byte) 0);
            assertThat(bytesOf(hmm, segment)).isEqualTo(bytes);
        }
    }

    @ParameterizedTest
    @EnumSource
    void readsFilesThatAreEmptyAndRefusesThoseThatDoNotSayTheirSize(Mode mode) throws IOException {
        try (Hmm hmm = open(mode)) {
            assertThat(HeapIo.readFile(hmm.heap(), Files.createFile(folder.resolve("empty"))).byteSize()).isZero();
            long used = hmm.heap().usedBytes();
            assertThatThrownBy(() -> HeapIo.readFile(hmm.heap(), Path.of("/proc/self/status"))).isInstanceOf(IOException.class)
                    .hasMessageContainingAll("file=/proc/self/status", "sizeBytes=0", "goes on");
            assertThat(hmm.heap().usedBytes()).as("what is left of the failure").isEqualTo(used);
        }
    }

    @ParameterizedTest
    @EnumSource
    void respectsProtection(Mode mode) throws IOException {
        try (Hmm hmm = open(mode)) {
            byte[] bytes = random(SMALL);
            MemorySegment segment = onDevice(hmm, bytes);
            Trickle zeros = new Trickle(SMALL, SMALL);
            hmm.heap().protect(segment, Protection.READ);
            assertThatThrownBy(() -> HeapIo.read(hmm.heap(), zeros, segment)).isInstanceOf(AccessViolationException.class);
            hmm.heap().protect(segment, Protection.NONE);
            assertThatThrownBy(() -> HeapIo.write(hmm.heap(), segment, zeros)).isInstanceOf(AccessViolationException.class);
            assertThat(zeros.all.position()).as("bytes taken from the channel, or given to it").isZero();

            hmm.heap().protect(segment, Protection.READ_WRITE);
            assertThat(bytesOf(hmm, segment)).isEqualTo(bytes);
        }
    }

    @ParameterizedTest
    @EnumSource
    void holdsNoPageAfterAFailure(Mode mode) throws IOException {
        try (Hmm hmm = open(mode)) {
            byte[] bytes = random(SMALL);
            MemorySegment segment = onDevice(hmm, bytes);
            FileChannel closed = FileChannel.open(Files.createFile(folder.resolve("closed")), StandardOpenOption.READ, StandardOpenOption.WRITE);
            closed.close();
            assertThatThrownBy(() -> HeapIo.write(hmm.heap(), segment, closed)).isInstanceOf(ClosedChannelException.class);
            assertThatThrownBy(() -> HeapIo.read(hmm.heap(), closed, segment)).isInstanceOf(ClosedChannelException.class);
            assertThatThrownBy(() -> HeapIo.write(hmm.heap(), segment, new Trickle(70_000, 30_000))).isInstanceOf(IOException.class)
                    .hasMessageContaining("remainingBytes=" + (SMALL - 70_000));

            hmm.heap().prefetch(segment, hmm.device());
            assertThat(hmm.heap().residency(segment).onDevice(hmm.device())).as("pages that no view held").isGreaterThanOrEqualTo(SMALL);
            assertThat(bytesOf(hmm, segment)).isEqualTo(bytes);
        }
    }

    @Test
    void refusesWhatItCannotServe() throws IOException {
        try (Hmm hmm = Hmm.builder().heap(ByteSize.mib(2)).hostOnly().open(); Arena arena = Arena.ofConfined()) {
            MemorySegment segment = hmm.heap().allocate(100);
            Pipe pipe = Pipe.open();
            pipe.source().configureBlocking(false);
            pipe.sink().configureBlocking(false);
            assertThatThrownBy(() -> HeapIo.read(hmm.heap(), pipe.source(), segment)).isInstanceOf(IllegalBlockingModeException.class);
            assertThatThrownBy(() -> HeapIo.write(hmm.heap(), segment, pipe.sink())).isInstanceOf(IllegalBlockingModeException.class);
            assertThatThrownBy(() -> HeapIo.read(hmm.heap(), new Trickle(9, 9), segment.asReadOnly())).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> HeapIo.write(hmm.heap(), arena.allocate(100), new Trickle(100, 9))).isInstanceOf(IllegalArgumentException.class);
            pipe.source().close();
            pipe.sink().close();
        }
    }

    /// Nothing but the marks is touched, so this costs no memory to speak of.
    @ParameterizedTest
    @EnumSource
    void movesMoreThanTwoGibibytes(Mode mode) throws IOException {
        long size = ByteSize.gib(2) + ByteSize.mib(40) + 5;
        long[] marks = {0, Integer.MAX_VALUE - 1L, Integer.MAX_VALUE, 1L << 31, size - 1};
        try (Hmm hmm = available(() -> Hmm.builder().heap(ByteSize.gib(3)).hostOnly().hostAccess(mode).open())) {
            MemorySegment segment = hmm.heap().allocate(size);
            Marks source = new Marks(marks, size);
            assertThat(HeapIo.read(hmm.heap(), source, segment)).isEqualTo(size);
            assertThat(source.at).isEqualTo(size);
            for (int i = 0; i < marks.length; i++) {
                assertThat(bytesOf(hmm, segment.asSlice(marks[i], 1))).as("byte %d", marks[i]).containsExactly(i + 1);
            }
            Marks sink = new Marks(marks, size);
            HeapIo.write(hmm.heap(), segment, sink);
            assertThat(sink.at).isEqualTo(size);
            assertThat(sink.seen).isEqualTo(marks.length);
        }
    }

    private static Hmm open(Mode mode) {
        return available(() -> Hmm.builder().heap(ByteSize.mib(64)).pageSize(16 << 10).hostAccess(mode).open());
    }

    private static Hmm available(Supplier<Hmm> opening) {
        try {
            return opening.get();
        } catch (HostAccessUnavailableException e) {
            throw new TestAbortedException(e.getMessage(), e);
        }
    }

    private static MemorySegment onDevice(Hmm hmm, byte[] bytes) {
        MemorySegment segment = hmm.heap().allocateFrom(JAVA_BYTE, bytes);
        hmm.heap().prefetch(segment, hmm.device());
        assertThat(hmm.heap().residency(segment).onDevice(hmm.device())).isGreaterThanOrEqualTo(bytes.length);
        return segment;
    }

    private static byte[] bytesOf(Hmm hmm, MemorySegment segment) {
        try (HostView view = hmm.heap().view(segment, Access.READ)) {
            return view.segment().toArray(JAVA_BYTE);
        }
    }

    private static byte[] random(int size) {
        byte[] bytes = new byte[size];
        new SplittableRandom(11).nextBytes(bytes);
        return bytes;
    }

    /// Gives and takes a few bytes at a time, and takes nothing more when it is full.
    private static final class Trickle implements ReadableByteChannel, WritableByteChannel {
        private final ByteBuffer all;
        private final int most;

        Trickle(int size, int most) {
            all = ByteBuffer.allocate(size);
            this.most = most;
        }

        @Override
        public int read(ByteBuffer to) {
            int count = Math.min(most, Math.min(all.remaining(), to.remaining()));
            to.put(all.slice(all.position(), count));
            all.position(all.position() + count);
            return all.hasRemaining() || count > 0 ? count : -1;
        }

        @Override
        public int write(ByteBuffer from) {
            int count = Math.min(most, Math.min(all.remaining(), from.remaining()));
            all.put(from.slice(from.position(), count));
            from.position(from.position() + count);
            return count;
        }

        @Override
        public boolean isOpen() {
            return true;
        }

        @Override
        public void close() {}
    }

    /// A long channel of which some bytes matter: mark number `i` is `i + 1`.
    private static final class Marks implements ReadableByteChannel, WritableByteChannel {
        private final long[] marks;
        private final long size;
        private long at;
        private int seen;

        Marks(long[] marks, long size) {
            this.marks = marks;
            this.size = size;
        }

        @Override
        public int read(ByteBuffer to) {
            int count = (int) Math.min(size - at, to.remaining());
            for (int i = 0; i < marks.length; i++) {
                if (marks[i] >= at && marks[i] < at + count) {
                    to.put(to.position() + (int) (marks[i] - at), (byte) (i + 1));
                }
            }
            return skip(to, count);
        }

        @Override
        public int write(ByteBuffer from) {
            int count = from.remaining();
            for (int i = 0; i < marks.length; i++) {
                if (marks[i] >= at && marks[i] < at + count) {
                    assertThat(from.get(from.position() + (int) (marks[i] - at))).as("byte %d", marks[i]).isEqualTo((byte) (i + 1));
                    seen++;
                }
            }
            return skip(from, count);
        }

        private int skip(ByteBuffer buffer, int count) {
            buffer.position(buffer.position() + count);
            at += count;
            return count;
        }

        @Override
        public boolean isOpen() {
            return true;
        }

        @Override
        public void close() {}
    }
}
