package io.github.hmm4j.demos.svm.strategy;

import io.github.hmm4j.Hmm;
import io.github.hmm4j.demos.device.BareOpenCl;
import io.github.hmm4j.demos.harness.UsageException;
import io.github.hmm4j.demos.svm.Strategy;
import io.github.hmm4j.device.DeviceInfo.Svm;
import io.github.hmm4j.error.HostAccessUnavailableException;
import io.github.hmm4j.error.InPlaceUnavailableException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// All strategies that the device in front of us has, open; and for each of the others, why it has not, or what went wrong when it was opened.
public final class Strategies implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Strategies.class);

    private final Map<Strategy, OpenStrategy> open = new EnumMap<>(Strategy.class);
    private final Map<Strategy, String> lacking = new EnumMap<>(Strategy.class);
    private final Map<Strategy, String> failed = new EnumMap<>(Strategy.class);
    private final Deque<AutoCloseable> owned = new ArrayDeque<>();

    /// Opens managed heaps.
    @FunctionalInterface
    public interface Heaps {
        /// @throws io.github.hmm4j.error.HostAccessUnavailableException if kernels cannot fault here
        Hmm open(Kind kind) throws UsageException;
    }

    /// How host and kernels reach a managed heap.
    public enum Kind {
        /// The host uses views.
        CHECKED,
        /// The host uses the best way that works here.
        BEST,
        /// The same, and the heap is larger than the budget, so that kernels go through the page table.
        PAGED,
        /// The same as the second, and kernels fault.
        TRAP,
        /// The same as the second, and kernels use host pages where they are.
        IN_PLACE
    }

    /// What to open.
    ///
    /// @param anyPointer     whether the device may be given pointers it does not say it takes
    /// @param oneBufferForAll whether explicit copies have room for one block only
    public record Wanted(boolean anyPointer, boolean oneBufferForAll) {}

    private Strategies() {}

    /// @param device stays open, and open for as long as this is
    /// @throws UsageException if the device that was asked for is not there
    public static Strategies open(BareOpenCl device, Heaps heaps, Wanted wanted) throws UsageException {
        Strategies all = new Strategies();
        try {
            all.openAll(device, heaps, wanted);
            return all;
        } catch (UsageException | RuntimeException e) {
            all.close();
            throw e;
        }
    }

    private void openAll(BareOpenCl device, Heaps heaps, Wanted wanted) throws UsageException {
        add(Strategy.COPIES_PAGEABLE, () -> new Copies(Strategy.COPIES_PAGEABLE, device, wanted.oneBufferForAll));
        add(Strategy.COPIES_PINNED, () -> new PinnedCopies(device, wanted.oneBufferForAll));
        add(Strategy.ZERO_COPY, () -> new ZeroCopy(device));
        Set<Svm> has = device.info().svm();
        if (has.contains(Svm.COARSE_GRAIN_BUFFER)) {
            add(Strategy.SVM_COARSE, () -> new SharedVirtualMemory(Strategy.SVM_COARSE, device));
        } else {
            lacking.put(Strategy.SVM_COARSE, "no shared virtual memory");
        }
        if (has.contains(Svm.FINE_GRAIN_BUFFER)) {
            add(Strategy.SVM_FINE, () -> new SharedVirtualMemory(Strategy.SVM_FINE, device));
        } else {
            lacking.put(Strategy.SVM_FINE, "no fine-grained buffers");
        }
        if (has.contains(Svm.FINE_GRAIN_BUFFER) && has.contains(Svm.ATOMICS)) {
            add(Strategy.SVM_ATOMICS, () -> new SvmWithAtomics(Strategy.SVM_ATOMICS, device));
        } else {
            lacking.put(Strategy.SVM_ATOMICS, has.contains(Svm.FINE_GRAIN_BUFFER) ? "no atomics in shared memory" : "no fine-grained buffers");
        }
        openSystem(device, has, wanted.anyPointer);
        openManaged(heaps);
    }

    private void openSystem(BareOpenCl device, Set<Svm> has, boolean anyPointer) throws UsageException {
        if (!has.contains(Svm.FINE_GRAIN_SYSTEM) && !anyPointer) {
            lacking.put(Strategy.SVM_SYSTEM, "it does not take any pointer of the program, or does not say so (--any-pointer tries)");
        } else if (has.contains(Svm.ATOMICS)) {
            add(Strategy.SVM_SYSTEM, () -> new SvmWithAtomics(Strategy.SVM_SYSTEM, device));
        } else {
            add(Strategy.SVM_SYSTEM, () -> new SharedVirtualMemory(Strategy.SVM_SYSTEM, device));
        }
    }

    private void openManaged(Heaps heaps) throws UsageException {
        add(Strategy.HMM_CHECKED, () -> new Managed(Strategy.HMM_CHECKED, heaps.open(Kind.CHECKED)));
        add(Strategy.HMM_TRANSPARENT, () -> {
            Hmm best = heaps.open(Kind.BEST);
            if (best.hostAccess().mode().isTransparent()) {
                return new Managed(Strategy.HMM_TRANSPARENT, best);
            }
            lacking.put(Strategy.HMM_TRANSPARENT, "host access is checked here (" + best.hostAccess().why() + ")");
            best.close();
            return null;
        });
        add(Strategy.HMM_PAGED, () -> new Managed(Strategy.HMM_PAGED, heaps.open(Kind.PAGED)));
        add(Strategy.HMM_TRAP, () -> {
            try {
                return new Managed(Strategy.HMM_TRAP, heaps.open(Kind.TRAP));
            } catch (HostAccessUnavailableException | IllegalArgumentException e) { // the device has no faults, or cannot have a range as large as the heap
                lacking.put(Strategy.HMM_TRAP, "kernels cannot fault here (" + e.getMessage() + ")");
                return null;
            }
        });
        add(Strategy.HMM_IN_PLACE, () -> {
            try {
                return new Managed(Strategy.HMM_IN_PLACE, heaps.open(Kind.IN_PLACE));
            } catch (InPlaceUnavailableException e) {
                lacking.put(Strategy.HMM_IN_PLACE,
                    "kernels cannot use host pages where they are (" + e.getMessage() + ")");
                return null;
            }
        });
    }

    private interface Opener {
        /// Null if the device lacks it after all.
        @Nullable OpenStrategy open() throws UsageException;
    }

    /// One that cannot be opened is not to take the others along.
    private void add(Strategy strategy, Opener opener) throws UsageException {
        try {
            OpenStrategy opened = opener.open();
            if (opened != null) {
                owned.push(opened);
                open.put(strategy, opened);
            }
        } catch (RuntimeException e) {
            LOG.debug("{} cannot be opened", strategy, e);
            failed.put(strategy, "cannot be opened: " + e.getMessage());
        }
    }

    /// The strategy, if the device has it.
    public Optional<OpenStrategy> find(Strategy strategy) {
        return Optional.ofNullable(open.get(strategy));
    }

    /// What went wrong when it was opened, although the device should have it.
    public Optional<String> failure(Strategy strategy) {
        return Optional.ofNullable(failed.get(strategy));
    }

    /// Why the device does not have it.
    public String whyNot(Strategy strategy) {
        return lacking.getOrDefault(strategy, "");
    }

    @Override
    public void close() {
        RuntimeException failure = null;
        while (!owned.isEmpty()) {
            try {
                owned.pop().close();
            } catch (Exception e) {
                failure = failure == null ? new IllegalStateException("closing strategies failed") : failure;
                failure.addSuppressed(e);
            }
        }
        if (failure != null) {
            throw failure;
        }
    }
}
