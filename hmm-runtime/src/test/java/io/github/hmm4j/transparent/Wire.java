package io.github.hmm4j.transparent;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channel;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.Pipe;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;

/// Something to write bytes to and to read bytes from with system calls. The other end is served by a thread of its own, from ordinary memory.
abstract sealed class Wire implements AutoCloseable {

    enum Kind { FILE, PIPE, SOCKET }

    static Wire open(Kind kind, Path folder) throws IOException {
        return switch (kind) {
            case FILE -> new File(Files.createTempFile(folder, "wire", ""));
            case PIPE -> {
                Pipe pipe = Pipe.open();
                yield new Stream(pipe.sink(), pipe.source());
            }
            case SOCKET -> {
                try (ServerSocketChannel server = ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))) {
                    yield new Stream(SocketChannel.open(server.getLocalAddress()), server.accept());
                }
            }
        };
    }

    /// Where to write; what arrives says [#arrived()].
    abstract WritableByteChannel sink() throws IOException;

    /// Everything that was written. Ends the sink.
    abstract byte[] arrived() throws IOException;

    /// A channel out of which `payload` comes.
    abstract ReadableByteChannel source(byte[] payload) throws IOException;

    @Override
    public abstract void close() throws IOException;

    /// One call, with the buffer that the segment gives.
    static void writeAll(WritableByteChannel sink, MemorySegment segment) throws IOException {
        ByteBuffer buffer = segment.asByteBuffer();
        while (buffer.hasRemaining()) {
            sink.write(buffer);
        }
    }

    static void readAll(ReadableByteChannel source, MemorySegment segment) throws IOException {
        ByteBuffer buffer = segment.asByteBuffer();
        while (buffer.hasRemaining() && source.read(buffer) >= 0) {
            // on
        }
    }

    static byte[] bytesOf(MemorySegment segment) {
        return segment.toArray(ValueLayout.JAVA_BYTE);
    }

    private static final class File extends Wire {
        private final Path path;
        private FileChannel channel;

        File(Path path) throws IOException {
            this.path = path;
            channel = FileChannel.open(path, StandardOpenOption.WRITE);
        }

        @Override
        WritableByteChannel sink() {
            return channel;
        }

        @Override
        byte[] arrived() throws IOException {
            return Files.readAllBytes(path);
        }

        @Override
        ReadableByteChannel source(byte[] payload) throws IOException {
            Files.write(path, payload);
            channel.close();
            channel = FileChannel.open(path, StandardOpenOption.READ);
            return channel;
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }

    private static final class Stream extends Wire {
        private static final Executor THREADS = task -> Thread.ofPlatform().daemon().name("wire").start(task);

        private final WritableByteChannel near;
        private final ReadableByteChannel far;
        private CompletableFuture<byte[]> collected = CompletableFuture.completedFuture(new byte[0]);

        Stream(WritableByteChannel near, ReadableByteChannel far) {
            this.near = near;
            this.far = far;
        }

        @Override
        WritableByteChannel sink() {
            collected = CompletableFuture.supplyAsync(this::collect, THREADS);
            return near;
        }

        private byte[] collect() {
            try {
                ByteArrayOutputStream bytes = new ByteArrayOutputStream();
                Channels.newInputStream(far).transferTo(bytes);
                return bytes.toByteArray();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        byte[] arrived() throws IOException {
            near.close();
            return collected.join();
        }

        @Override
        ReadableByteChannel source(byte[] payload) {
            THREADS.execute(() -> {
                try (Channel _ = near) {
                    near.write(ByteBuffer.wrap(payload));
                } catch (IOException _) {
                    // the reader has gone
                }
            });
            return far;
        }

        @Override
        public void close() throws IOException {
            near.close();
            far.close();
        }
    }
}
