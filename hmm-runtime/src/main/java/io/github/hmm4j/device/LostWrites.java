package io.github.hmm4j.device;

import io.github.hmm4j.error.HmmException;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The end of a kernel that runs and whose writes are lost all the same: what it writes into the copy of an argument does not come back. So it must not be launched again, and has failed.
///
/// Made before the kernel is enqueued, since nothing may take memory once it is.
///
/// Threads: any, once [#of] has returned.
public final class LostWrites implements Completion {

    private final Function<Throwable, HmmException> told;
    private Completion kernel = DONE;
    private @Nullable Throwable why;
    private @Nullable HmmException failure;

    /// @param told makes of what went wrong what is thrown
    public LostWrites(Function<Throwable, HmmException> told) {
        this.told = told;
    }

    /// The kernel is enqueued, and this is why what it writes does not come back.
    public void lose(Throwable why) {
        this.why = why;
    }

    public boolean isLost() {
        return why != null;
    }

    /// @param kernel its end otherwise
    /// @return that, or this if something is lost
    public Completion of(Completion kernel) {
        this.kernel = kernel;
        return why == null ? kernel : this;
    }

    @Override
    public boolean isDone() {
        return kernel.isDone();
    }

    @Override
    public void await() {
        kernel.await();
        throw failure();
    }

    private synchronized HmmException failure() {
        HmmException known = failure;
        if (known == null) {
            known = told.apply(Objects.requireNonNull(why, "of an end that something is lost with"));
            failure = known;
        }
        return known;
    }

    @Override
    public boolean mayStillRun() {
        return kernel.mayStillRun();
    }
}
