package io.github.hmm4j;

import io.github.hmm4j.device.Completion;
import io.github.hmm4j.device.DeviceKernel;
import io.github.hmm4j.device.DeviceMemory;
import io.github.hmm4j.device.KernelArgument;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.device.NativeEnqueue;
import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.migrate.LaunchGate;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.DeviceTable;
import io.github.hmm4j.space.VaRange;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// A kernel with its arguments, ready to be enqueued.
///
/// @param items flags of the work-items that have ended, for a kernel that goes through the device's page table; else null
record KernelEnqueue(DeviceKernel kernel, Plan plan, NDRange range, DeviceMirror mirror, DeviceTable.@Nullable Items items) implements LaunchGate.Enqueue {

    @Override
    public String kernelName() {
        return kernel.name();
    }

    @Override
    public @Nullable Completion by(NativeEnqueue enqueue) {
        plan.requireCurrent(); // published, or with the device's lock: see there
        List<DeviceMemory> windows = new ArrayList<>(plan.passed().size());
        List<DeviceMemory> scratch = new ArrayList<>(plan.passed().size()); // what is behind the launch takes nothing from the Java heap
        Map<VaRange, KernelArgument.Copied> copies = new HashMap<>();
        try {
            List<KernelArgument> arguments = new ArrayList<>(plan.passed().size());
            for (Plan.Passed passed : plan.passed()) {
                arguments.add(switch (passed) {
                    case Plan.Passed.Range range when range.copied() -> copied(range, copies, windows, scratch);
                    case Plan.Passed.Range(var bytes, _, _, boolean inPlace) ->
                        memory(inPlace ? mirror.argumentInPlace(bytes) : mirror.argument(bytes), windows);
                    case Plan.Passed.Image() when items == null -> memory(mirror.image(), windows);
                    case Plan.Passed.Image() -> new KernelArgument.Memory(mirror.pool().pagedMemory());
                    case Plan.Passed.Table() -> new KernelArgument.Memory(Objects.requireNonNull(mirror.deviceTable()).memory());
                    case Plan.Passed.Items() -> new KernelArgument.Memory(Objects.requireNonNull(items).memory());
                    case Plan.Passed.Unmanaged(var memory) -> new KernelArgument.Memory(memory);
                    case Plan.Passed.Value(var bytes) -> new KernelArgument.Value(bytes);
                    case Plan.Passed.NullPointer() -> new KernelArgument.NullPointer();
                    case Plan.Passed.Local(var lengthBytes) -> new KernelArgument.Local(lengthBytes);
                });
            }
            return kernel.launch(arguments, range, enqueue);
        } finally {
            for (int i = 0; i < scratch.size(); i++) {
                closeQuietly(mirror, scratch.get(i));
            }
            for (int i = 0; i < windows.size(); i++) {
                releaseQuietly(mirror, windows.get(i));
            }
        }
    }

    /// One copy for all arguments that are the same bytes.
    private KernelArgument copied(Plan.Passed.Range range, Map<VaRange, KernelArgument.Copied> copies,
            List<DeviceMemory> windows, List<DeviceMemory> scratch) {
        VaRange bytes = range.range();
        KernelArgument.Copied before = copies.get(bytes);
        if (before != null) {
            return before;
        }
        KernelArgument.Copied made;
        if (range.inPlace()) {
            DeviceMirror.CopiedInPlace inPlace = mirror.copiedInPlace(bytes, plan.writes(bytes));
            windows.add(inPlace.whole()); // there is room
            made = inPlace.copied();
        } else {
            made = mirror.copiedArgument(bytes, plan.writes(bytes));
        }
        scratch.add(made.copy()); // there is room
        copies.put(bytes, made);
        return made;
    }

    private static KernelArgument memory(DeviceMemory window, List<DeviceMemory> windows) {
        windows.add(window); // there is room
        return new KernelArgument.Memory(window);
    }

    private static void closeQuietly(DeviceMirror mirror, DeviceMemory copy) {
        try {
            copy.close();
        } catch (HmmException e) {
            LaunchParts.warn("the copy of an argument of {} is not released", mirror, e);
        } catch (OutOfMemoryError _) {
            return; // an object of the driver is lost, and not the launch
        }
    }

    /// The kernel may be enqueued already: that a window cannot be closed must not make it look as if it were not.
    private static void releaseQuietly(DeviceMirror mirror, DeviceMemory window) {
        try {
            mirror.release(window);
        } catch (HmmException e) {
            LaunchParts.warn("a window of {} is not released", mirror, e);
        } catch (OutOfMemoryError _) {
            return; // as above
        }
    }
}
