package io.github.hmm4j;

import io.github.hmm4j.pager.HostView;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.Channel;
import java.nio.channels.FileChannel;
import java.nio.channels.IllegalBlockingModeException;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.SelectableChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Objects;

/// Moves managed memory of any size through channels, wherever its pages are and however the host reaches them.
///
/// A channel hands addresses to the operating system, which cannot fault on every rung ([io.github.hmm4j.pager.HostAccess#fromSystemCalls]), and a byte buffer ends at 2 GiB.
/// So the memory goes through views, one chunk after the other: the pages of a chunk come home together, and devices can use all others meanwhile. A chunk is held as long as the
/// channel takes for it, also while that waits for somebody to send.
///
/// ```java
/// MemorySegment vectors = HeapIo.readFile(heap, Path.of("vectors.f32"));        // a new allocation, as large as the file
/// search.args(vectors, query, Arg.out(scores)).launch(NDRange.of(rows)).await();
/// try (FileChannel file = FileChannel.open(Path.of("scores.f32"), CREATE, WRITE)) {
///     HeapIo.write(heap, scores, file);                                         // what a device has comes home chunk by chunk
/// }
/// ```
///
/// Channels are used from where they stand and stay open. Selectable ones must be in blocking mode. If a call fails, what was moved before is moved, the rest is as it was, and no page is
/// held. Threads: any; nobody else should touch the memory meanwhile.
public final class HeapIo {

    static final long CHUNK_BYTES = ByteSize.mib(16); // a multiple of every page size

    /// One call of the channel.
    @FunctionalInterface
    private interface Step {
        int move(ByteBuffer chunk) throws IOException;
    }

    private HeapIo() {}

    /// Reads until `to` is full or the channel ends.
    ///
    /// @return bytes read; fewer than `to` has only if the channel ended
    /// @throws io.github.hmm4j.error.AccessViolationException if the protection forbids to write there
    /// @throws IllegalArgumentException                       if `to` is not managed, or read-only
    public static long read(ManagedHeap heap, ReadableByteChannel from, MemorySegment to) throws IOException {
        Objects.requireNonNull(heap, "heap");
        Objects.requireNonNull(from, "from");
        if (Objects.requireNonNull(to, "to").isReadOnly()) {
            throw new IllegalArgumentException("to=" + to + " is read-only");
        }
        requireBlocking(from);
        return move(heap, to, Access.WRITE, from::read);
    }

    /// Writes all of `from`.
    ///
    /// @throws io.github.hmm4j.error.AccessViolationException if the protection forbids to read there
    /// @throws IllegalArgumentException                       if `from` is not managed
    public static void write(ManagedHeap heap, MemorySegment from, WritableByteChannel to) throws IOException {
        Objects.requireNonNull(heap, "heap");
        Objects.requireNonNull(from, "from");
        requireBlocking(Objects.requireNonNull(to, "to"));
        move(heap, from, Access.READ, to::write);
    }

    /// Reads a whole file into a new allocation of its size.
    ///
    /// @throws IOException      if it cannot be read, or has another size than it says (it changes, or is made up while it is read)
    /// @throws OutOfMemoryError if the heap has no room for it
    public static MemorySegment readFile(ManagedHeap heap, Path file) throws IOException {
        Objects.requireNonNull(heap, "heap");
        if (Files.isDirectory(Objects.requireNonNull(file, "file"))) {
            throw new IOException("file=" + file + " is a folder"); // it can be opened, and not be read
        }
        try (FileChannel channel = FileChannel.open(file)) {
            long sizeBytes = channel.size();
            MemorySegment segment = heap.allocate(sizeBytes);
            try {
                long readBytes = read(heap, channel, segment);
                if (readBytes < sizeBytes || channel.read(ByteBuffer.allocate(1)) >= 0) {
                    throw new IOException(String.format(Locale.ROOT, "file=%s has another size than it says: sizeBytes=%d, but %s",
                            file, sizeBytes, readBytes < sizeBytes ? "it ends after " + readBytes : "it goes on"));
                }
                return segment;
            } catch (IOException | RuntimeException | Error e) {
                heap.free(segment);
                throw e;
            }
        }
    }

    private static void requireBlocking(Channel channel) {
        if (channel instanceof SelectableChannel selectable && !selectable.isBlocking()) {
            throw new IllegalBlockingModeException();
        }
    }

    private static long move(ManagedHeap heap, MemorySegment segment, Access access, Step step) throws IOException {
        long moved = 0;
        while (moved < segment.byteSize()) {
            long toBoundary = CHUNK_BYTES - (segment.address() + moved) % CHUNK_BYTES; // so that no page is in two chunks
            MemorySegment chunk = segment.asSlice(moved, Math.min(toBoundary, segment.byteSize() - moved));
            try (HostView view = heap.view(chunk, access)) {
                ByteBuffer bytes = view.segment().asByteBuffer();
                while (bytes.hasRemaining()) {
                    int count = step.move(bytes);
                    if (count < 0) {
                        return moved + bytes.position();
                    }
                    if (count == 0) {
                        throw new IOException("the channel moves nothing: remainingBytes=" + (segment.byteSize() - moved - bytes.position()));
                    }
                }
            }
            moved += chunk.byteSize();
        }
        return moved;
    }
}
