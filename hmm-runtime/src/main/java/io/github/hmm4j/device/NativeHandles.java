package io.github.hmm4j.device;

import java.util.List;

/// What native code needs to drive a device without Java: the OpenCL objects by their pointers.
///
/// Pinned memory for its copies is one mapping, or a buffer for each slot, or neither if the device reads and writes host memory by itself.
///
/// @param context      `cl_context`
/// @param device       `cl_device_id`
/// @param staging      address of pinned memory that stays mapped, or 0
/// @param stagingBytes size of that, or of all slots together
/// @param slots        `cl_mem` of [#SLOTS] buffers in pinned memory that are not mapped, of the sizes [#slotBytes]; or none
public record NativeHandles(long context, long device, long staging, long stagingBytes, List<Long> slots) {

    public static final int BULK_SLOTS = 3;
    private static final int SHARES = 8;
    public static final int SLOTS = 5;

    public NativeHandles {
        slots = List.copyOf(slots);
    }

    /// The first three are for moves of much at once, the others for single faults.
    public static long slotBytes(int slot, long stagingBytes) {
        return (slot < BULK_SLOTS ? 2 : 1) * stagingBytes / SHARES;
    }
}
