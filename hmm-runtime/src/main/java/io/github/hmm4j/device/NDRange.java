package io.github.hmm4j.device;

import java.util.Arrays;

/// The index space of a launch: one to three dimensions of work-items, and optionally the size of a work-group.
///
/// Immutable.
public final class NDRange {

    private final long[] global;
    private final long[] local;

    private NDRange(long[] global, long[] local) {
        this.global = global.clone();
        this.local = local.clone();
        if (global.length < 1 || global.length > 3) {
            throw new IllegalArgumentException("dimensions=" + global.length + ", must be 1 to 3");
        }
        if (local.length != 0 && local.length != global.length) {
            throw new IllegalArgumentException(
                    "local=" + Arrays.toString(local) + " and global=" + Arrays.toString(global) + " differ in dimensions");
        }
        for (int d = 0; d < global.length; d++) {
            if (global[d] <= 0) {
                throw new IllegalArgumentException("global=" + Arrays.toString(global) + ", all must be positive");
            }
            if (local.length != 0 && (local[d] <= 0 || global[d] % local[d] != 0)) {
                throw new IllegalArgumentException(
                        "local=" + Arrays.toString(local) + " does not divide global=" + Arrays.toString(global));
            }
        }
    }

    /// Work-items in one, two or three dimensions; the driver chooses the work-group.
    ///
    /// @throws IllegalArgumentException if there are other than one to three dimensions or one is not positive
    public static NDRange of(long... global) {
        return new NDRange(global, new long[0]);
    }

    /// The same work-items in work-groups of `local`, which must divide them.
    public NDRange local(long... local) {
        return new NDRange(global, local);
    }

    /// The same work-groups over at least these work-items: each dimension is rounded up to a multiple of `local`.
    /// The kernel must ignore the surplus work-items.
    public static NDRange covering(long[] atLeast, long... local) {
        if (atLeast.length != local.length) {
            throw new IllegalArgumentException(
                    "local=" + Arrays.toString(local) + " and global=" + Arrays.toString(atLeast) + " differ in dimensions");
        }
        long[] rounded = new long[atLeast.length];
        for (int d = 0; d < atLeast.length; d++) {
            if (local[d] <= 0) {
                throw new IllegalArgumentException("local=" + Arrays.toString(local) + ", all must be positive");
            }
            rounded[d] = Math.multiplyExact(Math.ceilDiv(atLeast[d], local[d]), local[d]);
        }
        return new NDRange(rounded, local);
    }

    /// Work-items in all.
    ///
    /// @throws ArithmeticException if there are more than a `long` counts
    public long items() {
        long items = 1;
        for (long length : global) {
            items = Math.multiplyExact(items, length);
        }
        return items;
    }

    public int dimensions() {
        return global.length;
    }

    /// Work-items in each dimension, all positive.
    public long[] global() {
        return global.clone();
    }

    /// Work-items per work-group in each dimension, or empty: the driver chooses.
    public long[] local() {
        return local.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof NDRange that && Arrays.equals(global, that.global) && Arrays.equals(local, that.local);
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(global) + Arrays.hashCode(local);
    }

    @Override
    public String toString() {
        return Arrays.toString(global) + (local.length == 0 ? "" : "/" + Arrays.toString(local));
    }
}
