package io.github.hmm4j.device;

/// What native code needs to drive a device without Java: the OpenCL objects by their pointers.
///
/// @param context      `cl_context`
/// @param device       `cl_device_id`
/// @param staging      address of pinned memory for copies; 0 if the device reads and writes host memory by itself
/// @param stagingBytes its size
public record NativeHandles(long context, long device, long staging, long stagingBytes) {}
