package io.github.hmm4j.device.opencl;

import java.lang.foreign.MemorySegment;

/// All of OpenCL that the runtime calls, one method for one call.
///
/// Handles, addresses, sizes and offsets are `long`; a handle is the pointer of the driver. Names of queries and flags
/// are those of `cl.h` ([Cl]). Every status is checked: a method that returns has succeeded, and one that throws has
/// had no effect. Implementations keep no state but what the library under them needs, so one that counts, records or
/// fails calls can stand in front of any other.
///
/// Threads: any, except that a kernel's arguments and its enqueue belong to one thread at a time.
///
/// Outcome: [io.github.hmm4j.error.OpenClFailedException] with call, status and sizes, or
/// [io.github.hmm4j.error.DeviceLostException] where the status says that the device is gone ([ClStatus]).
public interface ClApi {

    ClBinding binding();

    // Platforms and devices.

    /// All platforms; none is an empty array.
    long[] platforms();

    String platformText(long platform, int name);

    /// All devices of a platform, of whatever type; none is an empty array.
    long[] devices(long platform);

    String deviceText(long device, int name);

    /// A value of 4 or 8 bytes, zero-extended.
    long deviceNumber(long device, int name);

    /// A value of any other type, as the driver lays it out.
    byte[] deviceBytes(long device, int name);

    // Contexts and queues.

    long createContext(long platform, long... devices);

    void retainContext(long context);

    void releaseContext(long context);

    /// Makes an in-order queue.
    ///
    /// @param profiling whether events of the queue keep times
    long createQueue(long context, long device, boolean profiling);

    void flush(long queue);

    /// A command that does nothing and ends when all before it in the queue have.
    ///
    /// @return its event
    long enqueueMarker(long queue);

    /// What is enqueued from now on begins when a command of another queue has ended, which must have been flushed. If that ended badly, so may what waits for it.
    void enqueueWait(long queue, long event);

    /// Waits until all that was enqueued has ended, also what was flushed before: `clFinish` of some drivers (Rusticl 22.3) does not wait for that, so a marker is waited for, too.
    /// The events of these commands may become complete a little later; [#waitFor] waits for that.
    void finish(long queue);

    void releaseQueue(long queue);

    // Memory.

    /// Makes a buffer.
    ///
    /// @param hostAddressBytes for `CL_MEM_USE_HOST_PTR`, else 0
    long createBuffer(long context, long flags, long lengthBytes, long hostAddressBytes);

    long createSubBuffer(long buffer, long offsetBytes, long lengthBytes);

    void releaseMemory(long memory);

    // Copies. Each returns its event, or 0 if none was asked for.

    long enqueueCopy(long queue, long source, long target, long sourceOffset, long targetOffset, long lengthBytes,
            boolean event);

    /// Fills with zeros.
    ///
    /// @param patternBytes 1, 2, 4 ... 128, dividing offset and length
    long enqueueZero(long queue, long memory, int patternBytes, long offsetBytes, long lengthBytes, boolean event);

    /// Does not wait: the host memory must stay as it is until the event has ended.
    long enqueueWrite(long queue, long memory, long offsetBytes, long lengthBytes, long hostAddressBytes,
            boolean event);

    /// Does not wait: the host memory holds the bytes when the event has ended.
    long enqueueRead(long queue, long memory, long offsetBytes, long lengthBytes, long hostAddressBytes, boolean event);

    /// Maps a part of a buffer and waits for it.
    ///
    /// @return the address of the byte at `offsetBytes`
    long map(long queue, long memory, long flags, long offsetBytes, long lengthBytes);

    /// Does not wait: the host may touch the part when the event has ended.
    ///
    /// @param addressBytes takes, as its first element, the address of the byte at `offsetBytes`
    /// @return the event
    long enqueueMap(long queue, long memory, long flags, long offsetBytes, long lengthBytes, long[] addressBytes);

    /// Returns its event, or 0 if none was asked for.
    long enqueueUnmap(long queue, long memory, long addressBytes, boolean event);

    // Shared virtual memory, from OpenCL 2.0 on. On an older platform each call fails with `CL_INVALID_OPERATION`, and no
    // driver is asked ([SvmSupport]). Of which kind memory may be is the device's to say (`DeviceInfo.svm`).

    /// Allocates memory that host and devices reach at the same addresses. Its contents are undefined.
    ///
    /// A call that has no status: where the driver returns no memory, the failure is said to be
    /// `CL_MEM_OBJECT_ALLOCATION_FAILURE`, with the sizes.
    ///
    /// @param flags          `CL_MEM_READ_WRITE`, with `CL_MEM_SVM_FINE_GRAIN_BUFFER` for memory that host and device
    ///                       may use at a time, and with `CL_MEM_SVM_ATOMICS` too for atomics between them
    /// @param alignmentBytes a power of two, at most the size of the device's largest type (128 bytes where it has
    ///                       `long16`); 0: that size
    /// @return the address
    long svmAllocate(long context, long flags, long lengthBytes, int alignmentBytes);

    /// Frees at once: whatever uses the memory must have ended before.
    void svmFree(long context, long addressBytes);

    /// Lets the host touch a part of coarse-grained memory and waits for it; the devices may not touch it until it is
    /// unmapped.
    void svmMap(long queue, long flags, long addressBytes, long lengthBytes);

    /// @param addressBytes as it was mapped
    void enqueueSvmUnmap(long queue, long addressBytes);

    // Programs and kernels.

    long createProgram(long context, String text);

    /// A program that was compiled before ([#programBinary]); it still has to be built.
    ///
    /// @throws io.github.hmm4j.error.OpenClFailedException also if the driver does not take the binary
    long createProgramOfBinary(long context, long device, byte[] binary);

    /// What a program that is built is compiled to, for one of its devices; empty if the driver has nothing. May
    /// compile what was not needed until now.
    byte[] programBinary(long program, long device);

    /// Returns false if the compiler refused; [#buildLog] says why.
    boolean build(long program, long device, String options);

    String buildLog(long program, long device);

    /// Names of the kernels, with `;` between them.
    String kernelNames(long program);

    void releaseProgram(long program);

    long createKernel(long program, String name);

    int parameterCount(long kernel);

    String parameterText(long kernel, int index, int name);

    long parameterNumber(long kernel, int index, int name);

    /// What holds for a kernel on one device (`clGetKernelWorkGroupInfo`), a value of 8 bytes.
    long kernelNumber(long kernel, long device, int name);

    /// What holds for a kernel on one device, a value of any other type, as the driver lays it out.
    byte[] kernelBytes(long kernel, long device, int name);

    void releaseKernel(long kernel);

    /// Sets an argument that is a value.
    ///
    /// @param value off-heap; read during the call
    void setValue(long kernel, int index, MemorySegment value);

    /// @param memory 0 for a pointer that points nowhere
    void setMemory(long kernel, int index, long memory);

    /// Sets an argument that is a pointer into shared virtual memory (from OpenCL 2.0 on). The memory must outlive every
    /// launch with it.
    void setSvmPointer(long kernel, int index, long addressBytes);

    /// Says that a kernel may be given pointers to any memory of the host, or find them in memory (from OpenCL 2.0 on):
    /// for devices with system SVM.
    void letFollowSystemPointers(long kernel);

    void setLocal(long kernel, int index, long lengthBytes);

    /// Enqueues a kernel with the arguments set last.
    ///
    /// @param offset as long as `global`
    /// @param local  as long as `global`, or empty: the driver chooses
    /// @return the event
    long enqueueKernel(long queue, long kernel, long[] offset, long[] global, long[] local);

    /// The same with work-items that are numbered from 0.
    default long enqueueKernel(long queue, long kernel, long[] global, long[] local) {
        return enqueueKernel(queue, kernel, new long[global.length], global, local);
    }

    // Events.

    /// Waits until it has ended, well or badly; [#eventStatus] says which.
    void waitFor(long event);

    /// 0 after a good end, negative after a bad one, positive before the end.
    int eventStatus(long event);

    /// A time stamp in nanoseconds; the queue must keep times.
    long eventTime(long event, int name);

    void releaseEvent(long event);
}
