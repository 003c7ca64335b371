package io.github.hmm4j.device;

import java.lang.foreign.MemorySegment;

/// What is passed for one parameter.
public sealed interface KernelArgument {

    /// A pointer to the start of `memory`, an allocation or a slice of the launching device.
    record Memory(DeviceMemory memory) implements KernelArgument {}

    /// A pointer that points nowhere.
    record NullPointer() implements KernelArgument {}

    /// A pointer to a copy of bytes that lie where this device cannot start a pointer. The copy is made on the device, by commands of its own, right before the kernel, and goes back right
    /// after it if the kernel writes.
    ///
    /// @param from        an allocation of the launching device
    /// @param offsetBytes where in it the bytes start
    /// @param copy        as long as they are ([Device#scratch]); may be closed once the kernel is enqueued
    record Copied(DeviceMemory from, long offsetBytes, DeviceMemory copy, boolean writes) implements KernelArgument {}

    /// A value; the bytes are read during the call only.
    record Value(MemorySegment bytes) implements KernelArgument {
        public Value {
            if (bytes.byteSize() == 0) {
                throw new IllegalArgumentException("valueBytes=0, must be positive"); // POCL ends the process
            }
        }
    }

    /// Work-group local memory of this size.
    record Local(long lengthBytes) implements KernelArgument {
        public Local {
            if (lengthBytes <= 0) {
                throw new IllegalArgumentException("lengthBytes=" + lengthBytes + ", must be positive");
            }
        }
    }
}
