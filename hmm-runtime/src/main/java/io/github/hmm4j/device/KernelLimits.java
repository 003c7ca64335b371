package io.github.hmm4j.device;

import java.util.Arrays;
import java.util.List;

/// What one kernel can be launched with on its device. Drivers that are asked for more return an error without a word, or end the process.
///
/// @param groupItems        work-items in one work-group (`CL_KERNEL_WORK_GROUP_SIZE`)
/// @param itemsPerSide      of these in each dimension, for as many dimensions as there may be
///                          (`CL_DEVICE_MAX_WORK_ITEM_SIZES`)
/// @param requiredGroup     the one work-group that the kernel runs in, in three dimensions, or empty if it declares none
///                          (`reqd_work_group_size`)
/// @param ownLocalBytes     local memory that the kernel declares itself (`CL_KERNEL_LOCAL_MEM_SIZE`)
/// @param localBytes        local memory of one work-group in all (`CL_DEVICE_LOCAL_MEM_SIZE`)
/// @param preferredMultiple work-groups of a multiple of so many work-items leave no part of the hardware idle
///                          (`CL_KERNEL_PREFERRED_WORK_GROUP_SIZE_MULTIPLE`)
/// @param smallerGroups     whether work-items need not be a multiple of the work-group: the last one is smaller then.
///                          From OpenCL 2.0 on, where the device can and the program is compiled for it (`-cl-std=CL2.0`
///                          or later)
public record KernelLimits(
        long groupItems, List<Long> itemsPerSide, List<Long> requiredGroup, long ownLocalBytes, long localBytes,
        long preferredMultiple, boolean smallerGroups) {

    public KernelLimits {
        itemsPerSide = List.copyOf(itemsPerSide);
        requiredGroup = List.copyOf(requiredGroup);
    }

    /// The sum of two sizes, or the largest number if it is above that: no limit is.
    public static long sum(long bytes, long more) {
        long sum = bytes + more;
        return sum < 0 ? Long.MAX_VALUE : sum;
    }

    /// The local memory that arguments ask for together.
    public static long localBytesOf(List<KernelArgument> arguments) {
        long bytes = 0;
        for (KernelArgument argument : arguments) {
            if (argument instanceof KernelArgument.Local(long lengthBytes)) {
                bytes = sum(bytes, lengthBytes);
            }
        }
        return bytes;
    }

    /// The work-group of a launch over `range`: the one asked for, else the one that the kernel requires; empty where the driver chooses.
    public long[] groupOf(NDRange range) {
        long[] local = range.local();
        return local.length == 0 && !requiredGroup.isEmpty() ? requiredGroup.stream().mapToLong(Long::longValue).limit(range.dimensions()).toArray() : local;
    }

    /// Returns if a launch keeps within the limits.
    ///
    /// @param localArgumentBytes local memory that its arguments ask for together
    /// @throws IllegalArgumentException if not; names kernel, range and limit
    public void require(String kernel, NDRange range, long localArgumentBytes) {
        if (localArgumentBytes > localBytes - ownLocalBytes) {
            throw exceeded(kernel, range, "arguments ask for localBytes=" + localArgumentBytes + " and the kernel declares CL_KERNEL_LOCAL_MEM_SIZE=" + ownLocalBytes,
                    "CL_DEVICE_LOCAL_MEM_SIZE", localBytes);
        }
        if (range.dimensions() > itemsPerSide.size()) {
            throw exceeded(kernel, range, "dimensions=" + range.dimensions(), "CL_DEVICE_MAX_WORK_ITEM_DIMENSIONS", itemsPerSide.size());
        }
        long[] group = groupOf(range);
        requireGroup(kernel, range, group);
        requireWholeGroups(kernel, range, group);
        long room = groupItems;
        for (int d = 0; d < group.length; d++) {
            if (group[d] > itemsPerSide.get(d)) {
                throw exceeded(kernel, range, "work-group=" + Arrays.toString(group), "CL_DEVICE_MAX_WORK_ITEM_SIZES", itemsPerSide);
            }
            room /= group[d]; // rounding down is exact here: the product of all is above the limit if and only if nothing is left
        }
        if (room == 0) {
            throw exceeded(kernel, range, "work-group=" + Arrays.toString(group), "CL_KERNEL_WORK_GROUP_SIZE", groupItems);
        }
    }

    private void requireGroup(String kernel, NDRange range, long... group) {
        if (requiredGroup.isEmpty()) {
            return;
        }
        boolean fits = true;
        for (int d = 0; d < requiredGroup.size(); d++) {
            fits &= requiredGroup.get(d) == (d < group.length ? group[d] : 1);
        }
        long[] global = range.global();
        for (int d = 0; d < group.length; d++) {
            fits &= global[d] % group[d] == 0;
        }
        if (!fits) {
            throw exceeded(kernel, range, "it runs only in work-groups of the size that it requires", "reqd_work_group_size", requiredGroup);
        }
    }

    private void requireWholeGroups(String kernel, NDRange range, long... group) {
        if (smallerGroups) {
            return;
        }
        long[] global = range.global();
        for (int d = 0; d < group.length; d++) {
            if (global[d] % group[d] != 0) {
                throw new IllegalArgumentException(("kernel=%s: global=%s is no multiple of local=%s, which takes OpenCL 2.0:"
                        + " a device with non-uniform work-groups and a program compiled with -cl-std=CL2.0 or later;"
                        + " else round up (NDRange.covering) and let the kernel ignore the surplus")
                        .formatted(kernel, Arrays.toString(global), Arrays.toString(group)));
            }
        }
    }

    private static IllegalArgumentException exceeded(String kernel, NDRange range, String what, String limit, Object value) {
        return new IllegalArgumentException("kernel=%s, range=%s: %s; %s=%s".formatted(kernel, range, what, limit, value));
    }
}
