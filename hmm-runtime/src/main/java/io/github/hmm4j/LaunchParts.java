package io.github.hmm4j;

import io.github.hmm4j.account.Counter;
import io.github.hmm4j.device.DeviceKernel;
import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.error.LaunchBlockedException;
import io.github.hmm4j.migrate.AheadSource;
import io.github.hmm4j.migrate.Evictor;
import io.github.hmm4j.migrate.HostLock;
import io.github.hmm4j.migrate.InPlacePages;
import io.github.hmm4j.migrate.LaunchGate;
import io.github.hmm4j.migrate.Placer;
import io.github.hmm4j.migrate.ToDevice;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.mirror.PageUse;
import io.github.hmm4j.pager.HostViews;
import java.time.Duration;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What launches of one heap are made with.
record LaunchParts(ManagedPages heap, HostViews views, Placer placer, Evictor evictor, ToDevice toDevice, InPlacePages inPlace, AheadSource ahead, LaunchGate gate, HostLock hostLock, Departure departure,
        Duration timeout) {

    private static final long LONG_WAIT_MILLIS = 100;
    private static final Logger LOG = LoggerFactory.getLogger(LaunchParts.class);

    /// What the device owns now takes no host memory any more, where the heap is exclusive. The caller holds the device's lock.
    void departed(DeviceMirror mirror, List<PageUse> uses) {
        try {
            for (int i = 0; i < uses.size(); i++) {
                if (uses.get(i).writes()) {
                    departure.left(mirror, uses.get(i).pages());
                }
            }
        } catch (HmmException e) {
            warn("host memory of pages on {} stays", mirror, e); // the kernel is enqueued, and that must not look as if it were not
        } catch (OutOfMemoryError _) {
            return; // as above
        }
    }

    /// Waits until a view closes that was open when `viewsClosed` had closed. The caller holds no lock.
    ///
    /// @throws LaunchBlockedException if none does before the launch, begun at `startNanos`, has taken as long as it may
    void awaitViews(DeviceKernel kernel, List<PageUse> uses, long viewsClosed, long startNanos) {
        heap.accounts().increment(Counter.LAUNCH_WAITS);
        long waitsSince = System.nanoTime();
        boolean closed = views.awaitClosing(viewsClosed, startNanos + timeout.toNanos());
        if (millisSince(waitsSince) >= LONG_WAIT_MILLIS) {
            heap.accounts().increment(Counter.LONG_WAITS);
        }
        if (!closed) {
            throw new LaunchBlockedException(kernel.name(), millisSince(startNanos), views.conflict(uses).orElse("a view that has been closed meanwhile"));
        }
    }

    static long millisSince(long startNanos) {
        return Duration.ofNanos(System.nanoTime() - startNanos).toMillis();
    }

    /// Never fails: whatever is told of has happened already.
    static void warn(String message, DeviceMirror mirror, HmmException e) {
        try {
            LOG.warn(message, mirror, e);
        } catch (OutOfMemoryError _) {
            return;
        }
    }
}
