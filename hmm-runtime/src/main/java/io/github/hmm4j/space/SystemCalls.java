package io.github.hmm4j.space;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.error.SystemCallFailedException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;

/// The calls of Linux and its C library that the runtime needs, each one checked that can fail. Constants are those of x86-64 and aarch64.
final class SystemCalls {

    static final int PROT_NONE = 0;
    static final int PROT_READ_WRITE = 3;
    static final int MAP_SHARED = 0x01;
    static final int MAP_PRIVATE = 0x02;
    static final int MAP_FIXED = 0x10;
    static final int MAP_ANONYMOUS = 0x20;
    static final int MAP_NORESERVE = 0x4000;
    private static final int MFD_CLOEXEC = 1;
    private static final int MADV_DONTFORK = 10;
    private static final int MADV_HUGEPAGE = 14;
    private static final int MADV_POPULATE_WRITE = 23; // since Linux 5.14
    private static final int EINTR = 4;
    private static final int ENOMEM = 12;
    private static final int ENOSPC = 28;
    private static final int FALLOC_FL_KEEP_SIZE = 1;
    private static final int FALLOC_FL_PUNCH_HOLE = 2;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final StructLayout CALL_STATE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO = CALL_STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

    private static final MethodHandle MMAP =
            handle("mmap", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
    private static final MethodHandle MUNMAP = handle("munmap", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG));
    private static final MethodHandle MADVISE =
            handle("madvise", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT));
    private static final MethodHandle MEMFD_CREATE =
            handle("memfd_create", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));
    private static final MethodHandle FTRUNCATE = handle("ftruncate", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG));
    private static final MethodHandle FALLOCATE =
            handle("fallocate", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG));
    private static final MethodHandle CLOSE = handle("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
    private static final MethodHandle GETPAGESIZE = LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow("getpagesize"), FunctionDescriptor.of(JAVA_INT)); // which cannot fail
    private static final MethodHandle MEMSET = LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow("memset"), FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_LONG)); // nor can this

    private SystemCalls() {}

    /// The least that can be mapped: 4 KiB; on aarch64 also 16 or 64.
    static int pageBytes() {
        try {
            return (int) GETPAGESIZE.invokeExact();
        } catch (Throwable e) {
            throw rethrown(e);
        }
    }

    /// Writes zeros, without reading first what it writes to, as a copy of zeros would. Takes nothing from the Java heap.
    static void clear(long addressBytes, long lengthBytes) {
        try {
            long _ = (long) MEMSET.invokeExact(addressBytes, 0, lengthBytes);
        } catch (Throwable e) {
            throw rethrown(e);
        }
    }

    static long mmap(long addressBytes, long lengthBytes, int protection, int flags, int fd, long offsetBytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(CALL_STATE);
            long address = (long) MMAP.invokeExact(state, addressBytes, lengthBytes, protection, flags, fd, offsetBytes);
            if (address == -1) {
                throw failed("mmap", state, "lengthBytes=" + lengthBytes + ", flags=0x" + Integer.toHexString(flags));
            }
            return address;
        } catch (Throwable e) {
            throw rethrown(e);
        }
    }

    static void munmap(long addressBytes, long lengthBytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(CALL_STATE);
            check((int) MUNMAP.invokeExact(state, addressBytes, lengthBytes), "munmap", state, lengthBytes);
        } catch (Throwable e) {
            throw rethrown(e);
        }
    }

    /// Keeps a mapping out of child processes, which must not see pages that no longer hold what the page table says.
    static void dontFork(long addressBytes, long lengthBytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(CALL_STATE);
            check((int) MADVISE.invokeExact(state, addressBytes, lengthBytes, MADV_DONTFORK), "madvise", state, lengthBytes);
        } catch (Throwable e) {
            throw rethrown(e);
        }
    }

    /// Asks for huge pages under a mapping. Only a wish, whose answer nobody needs: a kernel that has none refuses, and
    /// the mapping is as good as before.
    static void wishForHugePages(long addressBytes, long lengthBytes) {
        try (Arena arena = Arena.ofConfined()) {
            int _ = (int) MADVISE.invokeExact(arena.allocate(CALL_STATE), addressBytes, lengthBytes, MADV_HUGEPAGE);
        } catch (Throwable e) {
            throw rethrown(e);
        }
    }

    /// A file in memory of this size, all holes. Returns its descriptor.
    static int memfd(String name, long lengthBytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(CALL_STATE);
            int fd = (int) MEMFD_CREATE.invokeExact(state, arena.allocateFrom(name), MFD_CLOEXEC);
            check(fd, "memfd_create", state, lengthBytes);
            if ((int) FTRUNCATE.invokeExact(state, fd, lengthBytes) < 0) {
                try {
                    throw failed("ftruncate", state, "lengthBytes=" + lengthBytes);
                } finally {
                    close(fd);
                }
            }
            return fd;
        } catch (Throwable e) {
            throw rethrown(e);
        }
    }

    /// Gives the memory of this part of the file back; it reads as zeros afterwards.
    static void punchHole(int fd, long offsetBytes, long lengthBytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(CALL_STATE);
            int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
            check(fallocate(state, fd, mode, offsetBytes, lengthBytes), "fallocate", state, lengthBytes);
        } catch (Throwable e) {
            throw rethrown(e);
        }
    }

    /// Gives this part of a file memory, and maps it, so that touching it there neither fails nor faults.
    ///
    /// @param addressBytes where it is mapped, writable
    /// @return whether there was memory for all of it
    static boolean populate(long addressBytes, int fd, long offsetBytes, long lengthBytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(CALL_STATE);
            if ((int) MADVISE.invokeExact(state, addressBytes, lengthBytes, MADV_POPULATE_WRITE) == 0
                    || fallocate(state, fd, 0, offsetBytes, lengthBytes) == 0) { // on an old system, and to hear why
                return true;
            }
            int errno = (int) ERRNO.get(state, 0L);
            if (errno != ENOSPC && errno != ENOMEM) {
                throw failed("fallocate", state, "lengthBytes=" + lengthBytes);
            }
            return false;
        } catch (Throwable e) {
            throw rethrown(e);
        }
    }

    private static int fallocate(MemorySegment state, int fd, int mode, long offsetBytes, long lengthBytes)
            throws Throwable {
        int result;
        do {
            result = (int) FALLOCATE.invokeExact(state, fd, mode, offsetBytes, lengthBytes);
        } while (result < 0 && (int) ERRNO.get(state, 0L) == EINTR);
        return result;
    }

    static void close(int fd) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(CALL_STATE);
            check((int) CLOSE.invokeExact(state, fd), "close", state, fd);
        } catch (Throwable e) {
            throw rethrown(e);
        }
    }

    private static void check(int result, String call, MemorySegment state, long lengthBytes) {
        if (result < 0) {
            throw failed(call, state, "lengthBytes=" + lengthBytes);
        }
    }

    private static SystemCallFailedException failed(String call, MemorySegment state, String detail) {
        return new SystemCallFailedException(call, (int) ERRNO.get(state, 0L), detail);
    }

    private static RuntimeException rethrown(Throwable e) {
        return switch (e) {
            case RuntimeException runtime -> runtime;
            case Error error -> throw error;
            default -> new IllegalStateException(e);
        };
    }

    private static MethodHandle handle(String name, FunctionDescriptor descriptor) {
        return LINKER.downcallHandle(
                LINKER.defaultLookup().findOrThrow(name), descriptor, Linker.Option.captureCallState("errno"));
    }
}
