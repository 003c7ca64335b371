package io.github.hmm4j.device;

import java.util.List;

/// A kernel of ours with which native code carries runs of device memory into one piece, `gather_runs` of `runs.cl`; all of it native code's alone. It lives as long as the device.
///
/// @param queue    `cl_command_queue`
/// @param kernel   `cl_kernel`
/// @param items    work-items of a group
/// @param measured whether it is to carry only what it has shown to carry sooner than a command for each run
/// @param packed   `cl_mem` for each [slot][NativeHandles#BULK_SLOTS] of bulk moves, as large as that; none where the slots are buffers, which take it themselves
public record NativeGather(long queue, long kernel, long items, boolean measured, List<Long> packed) {

    public NativeGather {
        packed = List.copyOf(packed);
    }
}
