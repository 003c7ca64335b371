package io.github.hmm4j.device;

import java.util.Arrays;
import java.util.Objects;

/// The index space of a launch: one to three dimensions of work-items, and optionally where their numbers begin and the
/// size of a work-group.
///
/// ```java
/// NDRange.of(1000)                            // get_global_id(0) is 0 to 999, the driver chooses the work-group
/// NDRange.of(640, 480).local(16, 16)          // 40 x 30 work-groups
/// NDRange.of(100).offset(900)                 // get_global_id(0) is 900 to 999
/// NDRange.covering(new long[] {1000}, 64)     // 1024 work-items, of which the kernel ignores 24
/// ```
///
/// Immutable.
public final class NDRange {

    private final long[] global;
    private final long[] local;
    private final long[] offset;

    private NDRange(long[] global, long[] local, long[] offset) {
        this.global = global.clone();
        this.local = local.clone();
        this.offset = offset.clone();
        if (global.length < 1 || global.length > 3) {
            throw new IllegalArgumentException("dimensions=" + global.length + ", must be 1 to 3");
        }
        if (local.length != 0 && local.length != global.length) {
            throw new IllegalArgumentException(
                    "local=" + Arrays.toString(local) + " and global=" + Arrays.toString(global) + " differ in dimensions");
        }
        if (offset.length != global.length) {
            throw new IllegalArgumentException(
                    "offset=" + Arrays.toString(offset) + " and global=" + Arrays.toString(global)
                            + " differ in dimensions");
        }
        for (int d = 0; d < global.length; d++) {
            if (global[d] <= 0) {
                throw new IllegalArgumentException("global=" + Arrays.toString(global) + ", all must be positive");
            }
            if (local.length != 0 && local[d] <= 0) {
                throw new IllegalArgumentException("local=" + Arrays.toString(local) + ", all must be positive");
            }
            if (offset[d] < 0 || offset[d] > Long.MAX_VALUE - global[d]) {
                throw new IllegalArgumentException(
                        "offset=" + Arrays.toString(offset) + " of global=" + Arrays.toString(global)
                        + ", must not be negative, and the last work-item must have a number below 2^63");
            }
        }
        long room = Long.MAX_VALUE;
        for (int d = 0; d < global.length; d++) { // exact: nothing is left if and only if the product is larger
            long group = local.length == 0 ? 1 : local[d];
            room = room / Math.ceilDiv(global[d], group) / group;
        }
        if (room == 0) {
            throw tooMany(global, local);
        }
    }

    private static IllegalArgumentException tooMany(long[] global, long... local) {
        return new IllegalArgumentException("global=" + Arrays.toString(global)
                + (local.length == 0 ? "" : " in whole work-groups of local=" + Arrays.toString(local))
                + ", must be fewer than 2^63 work-items in all");
    }

    /// Work-items in one, two or three dimensions; the driver chooses the work-group.
    ///
    /// @throws IllegalArgumentException if there are other than one to three dimensions, one is not positive, or there
    /// are 2^63 work-items or more
    public static NDRange of(long... global) {
        Objects.requireNonNull(global, "global");
        return new NDRange(global, new long[0], new long[global.length]);
    }

    /// The same work-items in work-groups of `local`. Where that does not divide them, the last work-group of a
    /// dimension is smaller, which not all devices and programs can do ([KernelLimits#smallerGroups]): the launch is
    /// refused there.
    ///
    /// @throws IllegalArgumentException if it has other dimensions or one is not positive
    public NDRange local(long... local) {
        return new NDRange(global, Objects.requireNonNull(local, "local"), offset);
    }

    /// The same work-items under other numbers: `get_global_id` counts from `offset`, in each dimension. What a kernel
    /// does at once over a long array is done in parts that way.
    ///
    /// @throws IllegalArgumentException if it has other dimensions or one is negative
    public NDRange offset(long... offset) {
        return new NDRange(global, local, Objects.requireNonNull(offset, "offset"));
    }

    /// The same work-groups over at least these work-items: each dimension is rounded up to a multiple of `local`.
    /// The kernel must ignore the surplus work-items.
    ///
    /// @throws IllegalArgumentException as [#of] and [#local]
    public static NDRange covering(long[] atLeast, long... local) {
        Objects.requireNonNull(atLeast, "atLeast");
        Objects.requireNonNull(local, "local");
        if (atLeast.length != local.length) {
            throw new IllegalArgumentException(
                    "local=" + Arrays.toString(local) + " and global=" + Arrays.toString(atLeast) + " differ in dimensions");
        }
        long[] rounded = new long[atLeast.length];
        for (int d = 0; d < atLeast.length; d++) {
            if (local[d] <= 0) {
                throw new IllegalArgumentException("local=" + Arrays.toString(local) + ", all must be positive");
            }
            long groups = Math.ceilDiv(atLeast[d], local[d]);
            if (groups > Long.MAX_VALUE / local[d]) {
                throw tooMany(atLeast, local);
            }
            rounded[d] = groups * local[d];
        }
        return new NDRange(rounded, local, new long[rounded.length]);
    }

    /// Work-items in all.
    public long items() {
        long items = 1;
        for (long length : global) {
            items *= length;
        }
        return items;
    }

    /// Work-items in all, if work-groups at the edges were as large as the others.
    public long itemsOfWholeGroups() {
        return local.length == 0 ? items() : covering(global, local).items();
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

    /// The number of the first work-item in each dimension; zeros unless said otherwise.
    public long[] offset() {
        return offset.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof NDRange that && Arrays.equals(global, that.global) && Arrays.equals(local, that.local)
                && Arrays.equals(offset, that.offset);
    }

    @Override
    public int hashCode() {
        return 31 * (31 * Arrays.hashCode(global) + Arrays.hashCode(local)) + Arrays.hashCode(offset);
    }

    @Override
    public String toString() {
        boolean begins = Arrays.stream(offset).anyMatch(first -> first != 0);
        return Arrays.toString(global) + (local.length == 0 ? "" : "/" + Arrays.toString(local))
                + (begins ? "+" + Arrays.toString(offset) : "");
    }
}
