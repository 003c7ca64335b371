package io.github.hmm4j.device.opencl;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Lets one process of a user load a binding at a time.
///
/// LWJGL 3.4 and JOCL 2.0 copy their native parts to where all processes of a user find them, and load what is there: of two that start together where none has run before, one maps a file that
/// the other is still writing, and dies of it (`SIGBUS` in the dynamic linker, or a library that is cut short). The lock is an empty file in the folder for temporary files, which stays.
/// It is a courtesy among programs of ours: where it cannot be had, the binding is loaded all the same.
///
/// Threads: any.
public final class OneLoadsAtATime {

    private static final Logger LOG = LoggerFactory.getLogger(OneLoadsAtATime.class);
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(20); // a start of the JVM and a megabyte to write
    private static final long NAP_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

    private OneLoadsAtATime() {}

    /// What `loading` returns, or throws.
    public static <T> T load(Supplier<T> loading) {
        try (FileChannel file = open(); FileLock _ = file == null ? null : lockOf(file)) {
            return loading.get();
        } catch (IOException e) { // of closing
            throw new IllegalStateException(e);
        }
    }

    private static @Nullable FileChannel open() {
        Path path = Path.of(System.getProperty("java.io.tmpdir"), "hmm4j-loading-" + System.getProperty("user.name") + ".lock");
        try {
            // also to read: to write to a pipe that somebody has put there would wait for a reader
            return FileChannel.open(path, Set.of(StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS),
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        } catch (IOException | UnsupportedOperationException e) { // the latter: a file system without owners
            LOG.debug("{} cannot be opened; others may load a binding meanwhile", path, e);
            return null;
        }
    }

    private static @Nullable FileLock lockOf(FileChannel file) {
        long until = System.nanoTime() + PATIENCE_NANOS;
        do {
            try {
                FileLock lock = file.tryLock();
                if (lock != null) {
                    return lock;
                }
            } catch (OverlappingFileLockException e) {
                LOG.trace("another thread of this process loads a binding", e);
            } catch (IOException e) {
                LOG.debug("no lock; others may load a binding meanwhile", e);
                return null;
            }
            LockSupport.parkNanos(NAP_NANOS);
        } while (System.nanoTime() - until < 0);
        LOG.warn("another process has loaded a binding for {} s; going on without waiting for it", TimeUnit.NANOSECONDS.toSeconds(PATIENCE_NANOS));
        return null;
    }
}
