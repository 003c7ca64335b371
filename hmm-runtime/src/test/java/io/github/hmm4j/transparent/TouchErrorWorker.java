package io.github.hmm4j.transparent;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.pager.HostAccess;
import io.github.hmm4j.space.Protection;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;

/// A program that touches what it must not, in every way there is, while another thread touches what it may.
///
/// Each way is a method of its own that is not inlined, since the JVM tells such an error when the method returns at the latest. It is warm before it errs.
/// Atomic updates are not among the ways: until C2 has compiled them the JVM carries them out itself, and is not prepared for an error there.
/// Arguments: `MODE warmUps`. Last line: `done name=number ...`.
final class TouchErrorWorker {

    private static final int PAGE = 4096;
    private static final int PAGES = 4;
    private static final int BYTES = PAGES * PAGE;
    private static final MemorySegment OTHER = MemorySegment.ofArray(new byte[BYTES]);
    private static final byte[] ARRAY = new byte[BYTES];
    private static final int WARM_BYSTANDER = 3;

    /// A way to touch all of a segment, or its first bytes.
    enum Touch {
        GET(false) {
            @Override
            void touch(MemorySegment a) {
                get(a);
            }
        },
        COPY_FROM(false) {
            @Override
            void touch(MemorySegment a) {
                copyFrom(a);
            }
        },
        COPY_TO_ARRAY(false) {
            @Override
            void touch(MemorySegment a) {
                copyToArray(a);
            }
        },
        BUFFER_GET(false) {
            @Override
            void touch(MemorySegment a) {
                bufferGet(a);
            }
        },
        BUFFER_BULK_GET(false) {
            @Override
            void touch(MemorySegment a) {
                bufferBulkGet(a);
            }
        },
        MISMATCH(false) {
            @Override
            void touch(MemorySegment a) {
                mismatch(a);
            }
        },
        SET(true) {
            @Override
            void touch(MemorySegment a) {
                set(a);
            }
        },
        FILL(true) {
            @Override
            void touch(MemorySegment a) {
                fill(a);
            }
        },
        COPY_TO(true) {
            @Override
            void touch(MemorySegment a) {
                copyTo(a);
            }
        },
        BUFFER_BULK_PUT(true) {
            @Override
            void touch(MemorySegment a) {
                bufferBulkPut(a);
            }
        };

        final boolean writes;

        Touch(boolean writes) {
            this.writes = writes;
        }

        abstract void touch(MemorySegment a);
    }

    private static int sink;

    private TouchErrorWorker() {}

    static void get(MemorySegment a) {
        sink = a.get(JAVA_INT, 0);
    }

    static void set(MemorySegment a) {
        a.set(JAVA_INT, 0, sink);
    }

    static void copyFrom(MemorySegment a) {
        OTHER.copyFrom(a);
    }

    static void copyTo(MemorySegment a) {
        a.copyFrom(OTHER);
    }

    static void copyToArray(MemorySegment a) {
        MemorySegment.copy(a, JAVA_BYTE, 0, ARRAY, 0, BYTES);
    }

    static void fill(MemorySegment a) {
        a.fill((byte) 7);
    }

    static void mismatch(MemorySegment a) {
        sink = (int) a.mismatch(OTHER);
    }

    static void bufferGet(MemorySegment a) {
        sink = a.asByteBuffer().getInt(0);
    }

    static void bufferBulkGet(MemorySegment a) {
        a.asByteBuffer().get(ARRAY);
    }

    static void bufferBulkPut(MemorySegment a) {
        a.asByteBuffer().put(ARRAY);
    }

    public static void main(String[] args) throws InterruptedException {
        int errors = 0;
        int served = 0;
        try (Hmm hmm = Hmm.builder().heap(ByteSize.mib(16)).pageSize(PAGE).faultAround(0).hostAccess(HostAccess.Mode.valueOf(args[0])).open();
                Bystander _ = new Bystander(hmm)) {
            errsInRegionThatStays(hmm);
            for (Touch touch : Touch.values()) {
                MemorySegment a = hmm.heap().allocate(BYTES, PAGE);
                for (int i = 0; i < Integer.parseInt(args[1]); i++) {
                    touch.touch(a);
                }
                for (Protection protection : new Protection[] {Protection.NONE, Protection.READ}) {
                    for (boolean away : new boolean[] {false, true}) {
                        hmm.heap().protect(a, Protection.READ_WRITE);
                        if (away) {
                            hmm.heap().prefetch(a, hmm.device());
                        }
                        hmm.heap().protect(a, protection);
                        boolean forbidden = touch.writes || protection == Protection.NONE;
                        require(errs(touch, a), forbidden, touch + " with " + protection + (away ? ", on the device" : ", at home"));
                        errors += forbidden ? 1 : 0;
                    }
                }
                hmm.heap().protect(a, Protection.READ_WRITE);
                require(errs(touch, a), false, touch + " after the protection was lifted");
                served++;
                hmm.heap().free(a);
                require(errs(touch, MemorySegment.ofAddress(a.address()).reinterpret(BYTES)), true, touch + " after free, by address");
                requireClosed(touch, a);
                errors++;
            }
        }
        System.out.printf("done errors=%d served=%d%n", errors, served);
    }

    /// Whoever tells of a touch comes when it comes: only a region that is not freed is sure to be named.
    private static void errsInRegionThatStays(Hmm hmm) {
        MemorySegment a = hmm.heap().allocate(BYTES, PAGE);
        Touch.SET.touch(a);
        hmm.heap().protect(a, Protection.READ);
        require(errs(Touch.SET, a), true, "a write to a region that stays");
        hmm.heap().protect(a, Protection.NONE);
        require(errs(Touch.GET, a), true, "a read of a region that stays");
    }

    private static boolean errs(Touch touch, MemorySegment a) {
        try {
            touch.touch(a);
            return false;
        } catch (InternalError e) {
            return true;
        }
    }

    /// Either the segment is not alive any more, or, while the bystander's kernels run, the page says so.
    private static void requireClosed(Touch touch, MemorySegment freed) {
        try {
            touch.touch(freed);
        } catch (IllegalStateException | InternalError e) {
            return;
        }
        throw new AssertionError(touch + " of a segment that was freed");
    }

    private static void require(boolean erred, boolean expected, String what) {
        if (erred != expected) {
            throw new AssertionError(what + (expected ? " was no error" : " was an error"));
        }
    }

    /// Somebody who does nothing wrong, and must not notice.
    private static final class Bystander implements AutoCloseable {

        private final AtomicBoolean stop = new AtomicBoolean();
        private final CountDownLatch warm = new CountDownLatch(WARM_BYSTANDER);
        private final Thread thread;
        private volatile Throwable failure;

        Bystander(Hmm hmm) throws InterruptedException {
            Kernel add = hmm.program(Source.resource("access.cl")).kernel("add_ints");
            MemorySegment mine = hmm.heap().allocate(BYTES, PAGE);
            thread = Thread.ofPlatform().daemon().name("bystander").start(() -> {
                try {
                    for (int round = 1; !stop.get(); round++) {
                        add.args(mine, 1, BYTES / 4).launch(NDRange.of(BYTES / 4));
                        for (int i = 0; i < BYTES / 4; i++) {
                            if (mine.getAtIndex(JAVA_INT, i) != round) {
                                throw new AssertionError("int %d: expected %d, got %d".formatted(i, round, mine.getAtIndex(JAVA_INT, i)));
                            }
                        }
                        warm.countDown();
                    }
                } catch (Throwable thrown) {
                    failure = thrown;
                    while (warm.getCount() > 0) {
                        warm.countDown();
                    }
                }
            });
            warm.await();
        }

        @Override
        public void close() {
            stop.set(true);
            try {
                thread.join();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            if (failure != null) {
                throw new AssertionError("somebody else was disturbed", failure);
            }
        }
    }
}
