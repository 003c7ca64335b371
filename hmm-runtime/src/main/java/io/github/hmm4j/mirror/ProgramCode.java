package io.github.hmm4j.mirror;

import org.jspecify.annotations.Nullable;

/// Which threads are in code of the program's own that a heap has called in the middle of something: an eviction
/// policy, a mirror's callback.
///
/// Such code may look at the heap. If it changed it, it would change what its caller, further down the same stack, is
/// just changing: the locks that keep others out let it pass, since its own thread holds them. So it is refused.
/// Threads: any.
public final class ProgramCode {

    /// One thread's place. Used by that thread.
    public static final class Place {

        private final @Nullable String[] running;

        private Place(@Nullable String[] running) {
            this.running = running;
        }

        /// Before the program's code is called. Takes nothing from the Java heap.
        ///
        /// @param code what it is, for people
        /// @return to be given back to [#leave]
        public @Nullable String enter(String code) {
            String before = running[0];
            running[0] = code;
            return before;
        }

        /// After it has returned or thrown.
        public void leave(@Nullable String before) {
            running[0] = before;
        }
    }

    /// A thread keeps what it holds here long after the heap: were it of a class of ours, it would keep the loader of them all.
    private final ThreadLocal<@Nullable String[]> places = ThreadLocal.withInitial(() -> new String[1]);
    private final Place nowhere = new Place(new String[1]); // of threads for which there was no memory

    /// The calling thread's. Never fails: whether a thread is in the program's code matters only to mistakes of that
    /// code.
    public Place place() {
        try {
            return new Place(places.get());
        } catch (OutOfMemoryError e) {
            return nowhere;
        }
    }

    /// Refuses a call of the program's code that changes what it was called from the middle of, or that would wait for
    /// that.
    ///
    /// @throws IllegalStateException within such code
    public void refuse(String call) {
        String running = places.get()[0];
        if (running != null) {
            throw new IllegalStateException(call + " within " + running + " is refused: the heap called that in the"
                    + " middle of a change, which this would change too, or wait for; do it when that has returned");
        }
    }
}
