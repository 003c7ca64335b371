package io.github.hmm4j;

import io.github.hmm4j.device.opencl.ClStatus;
import io.github.hmm4j.error.DeviceMemoryExhaustedException;
import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.error.OpenClFailedException;
import io.github.hmm4j.mirror.DeviceMirror;
import java.util.Locale;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What is tried when a device refuses a command for want of memory although it gave all that its pages take: some
/// drivers need memory of the device's for a kernel itself, and find out when it is enqueued.
///
/// Everything leaves the device then, and the pool gives memory back. If that helps it stays smaller, until a launch
/// needs more than it is left; if not, the kernel is one that never starts here, and nobody else pays for it.
/// Belongs to one launch, of which nothing has run.
final class Relief {

    private static final Logger LOG = LoggerFactory.getLogger(Relief.class);

    /// A quarter of the pool each time.
    private static final int MOST = 6;
    /// What is refused when memory is made was evicted for by who wanted it ([Placer][io.github.hmm4j.migrate.Placer]).
    private static final String COMMANDS = "clEnqueue";
    private static final Set<Integer> REFUSALS = Set.of(ClStatus.MEM_OBJECT_ALLOCATION_FAILURE, ClStatus.OUT_OF_RESOURCES, ClStatus.OUT_OF_HOST_MEMORY);

    private final LaunchParts parts;
    private final DeviceMirror mirror;
    private int times;
    private long givenBytes;

    Relief(LaunchParts parts, DeviceMirror mirror) {
        this.parts = parts;
        this.mirror = mirror;
    }

    /// Makes room after a refusal; to be called without any lock.
    ///
    /// @param neededBytes of the launch's own pages
    /// @throws DeviceMemoryExhaustedException if there is no memory although nothing more can be given back
    /// @throws OpenClFailedException          what failed, if it was something else
    void after(OpenClFailedException refusal, String kernel, long neededBytes) {
        if (!refusal.call().startsWith(COMMANDS) || !REFUSALS.contains(refusal.status()) || mirror.isFaulting()) {
            throw refusal;
        }
        long given = times < MOST ? giveBack(refusal) : 0;
        times++;
        givenBytes += given;
        if (given == 0) {
            if (!mirror.isAperture()) {
                mirror.pool().growAgain(); // it was not for want of that: others have their room back
            }
            throw told(refusal, kernel, neededBytes);
        }
        LOG.info("{} refuses kernel={}, which is tried again with bytes={} given back to it: {}", mirror, kernel, given, refusal.getMessage());
    }

    private long giveBack(OpenClFailedException refusal) {
        mirror.lock().takeAlone();
        try {
            parts.evictor().evictAll(mirror);
            return mirror.isAperture() ? 0 : mirror.pool().shrink(); // one is in one piece
        } catch (HmmException e) {
            e.addSuppressed(refusal);
            throw e;
        } finally {
            mirror.lock().leave();
        }
    }

    private HmmException told(OpenClFailedException refusal, String kernel, long neededBytes) {
        String tried = String.format(Locale.ROOT, "given back to the device before: bytes=%d in %d steps", givenBytes, times - 1);
        if (refusal.status() == ClStatus.MEM_OBJECT_ALLOCATION_FAILURE) {
            return new DeviceMemoryExhaustedException(mirror.toString(), neededBytes, mirror.budgetBytes(),
                    String.format(Locale.ROOT, "the device has no memory for kernel=%s beside its pages, %s: %s", kernel, tried, refusal.getMessage()), refusal);
        }
        return givenBytes == 0 ? refusal
                : new OpenClFailedException(refusal.call(), refusal.status(), ClStatus.name(refusal.status()), refusal.detail() + ", " + tried, refusal);
    }
}
