package io.github.hmm4j.device;

import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.space.HostBlock;
import io.github.hmm4j.space.HostMemory;
import io.github.hmm4j.timeline.Timeline;
import java.util.Locale;
import java.util.Optional;

/// One device: memory, a copy engine, kernels.
///
/// Owns all that it hands out; [#close()] waits for work in flight and releases what is left. Threads: any.
public interface Device extends AutoCloseable {

    DeviceInfo info();

    /// Allocates device memory, at most [DeviceInfo#maxAllocationBytes()].
    ///
    /// @throws io.github.hmm4j.error.OpenClFailedException if the driver refuses
    DeviceMemory allocate(long lengthBytes);

    /// Memory for tables that kernels read and the host changes between launches: memory that both reach ([DeviceMemory#hostAddressBytes()]), where the device has such memory and it is no
    /// farther from kernels than the rest.
    ///
    /// @throws io.github.hmm4j.error.OpenClFailedException if the driver refuses
    default DeviceMemory tableMemory(long lengthBytes) {
        return allocate(lengthBytes);
    }

    /// Memory that could be allocated now, in bytes, as far as is known: what the driver says is free, where it does; else
    /// all that there is, less what this process holds of the same hardware in whatever context.
    default long freeBytes() {
        return info().memoryBytes();
    }

    /// The engine that moves pages between this device and the host pages in `[hostAddressBytes, hostAddressBytes + lengthBytes)`.
    ///
    /// The range is reserved address space of which only touched pages cost memory, so an engine must not touch, pin or register all of it.
    /// Owned by the caller, who closes it before the device.
    CopyEngine copyEngine(long hostAddressBytes, long lengthBytes);

    /// A heap's host pages as memory of this device, **in place**.
    ///
    /// Costs no device memory and copies nothing. Closing it leaves the pages, which must outlive it.
    ///
    /// @throws IllegalStateException if the device has not [proved][#inPlace(HostMemory)] to share the host's memory: it sees host pages only through a [CopyEngine]
    default DeviceMemory hostMemory(HostMemory host) {
        throw new IllegalStateException(String.format(Locale.ROOT, "device=%s cannot use host pages in place, address=0x%x, lengthBytes=%d",
                info().name(), host.alias().address(), host.lengthBytes()));
    }

    /// Bytes of memory that its copies take beside what is allocated.
    default long stagingBytes() {
        return 0;
    }

    /// Whether kernels can use host pages where they are; tried when it is first asked for.
    default InPlace inPlace() {
        return InPlace.refuted("it reaches host pages through a copy engine only");
    }

    /// The same for the host pages of one heap, which may be memory that a device has allocated.
    default InPlace inPlace(HostMemory host) {
        return inPlace();
    }

    /// Whether kernels can use host pages where they are in memory that this device has allocated ([#allocateShared]), which no other device can; tried when it is first asked for.
    default InPlace inPlaceInShared() {
        return InPlace.refuted("it allocates no memory that the host shares");
    }

    /// Allocates memory of the host that kernels of this device use in place.
    ///
    /// @throws io.github.hmm4j.error.HmmException if there is none, or not as much in one piece
    default HostBlock allocateShared(long lengthBytes) {
        throw new IllegalStateException(String.format(Locale.ROOT, "device=%s allocates no memory that the host shares, lengthBytes=%d",
                info().name(), lengthBytes));
    }

    /// How native code can drive this device while Java threads are stopped; empty if only Java can: then no heap can have it. The handles live as long as the device.
    default Optional<NativeHandles> nativeHandles() {
        return Optional.empty();
    }

    /// A kernel with which native code brings home what lies apart; a new one each time. Empty where there are no slots to bring it through, or it is not wanted or cannot be had: then everything goes by a command
    /// for each run.
    default Optional<NativeGather> nativeGather() {
        return Optional.empty();
    }

    /// Compiles a program for this device.
    ///
    /// @param options options for the OpenCL C compiler, such as `-cl-std=CL1.2`; argument information is always asked for
    /// @throws IllegalArgumentException if there is a NUL among the options ([BuildOptions])
    /// @throws io.github.hmm4j.error.KernelBuildException if it does not compile
    DeviceProgram build(Source source, String options);

    /// Memory for the copy of an argument ([KernelArgument.Copied]): it may be closed while commands use it that were enqueued before.
    ///
    /// @throws io.github.hmm4j.error.OpenClFailedException if the driver refuses
    default DeviceMemory scratch(long lengthBytes) {
        throw new IllegalStateException(String.format(Locale.ROOT, "device=%s copies no arguments, lengthBytes=%d",
                info().name(), lengthBytes));
    }

    /// Tells a timeline of every command that ends well from now on, as far as this device knows when it ran.
    ///
    /// @param number of this device in its heap
    default void reportTo(Timeline timeline, int number) {
        // knows no times
    }

    /// Waits for work in flight and releases everything. Idempotent.
    @Override
    void close();
}
