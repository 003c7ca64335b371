package io.github.hmm4j.device;

/// One contiguous copy between host pages and device memory.
///
/// @param hostAddressBytes address in the runtime's own mapping of the host pages (the alias), page-aligned
/// @param memory           a whole allocation, not a slice
/// @param offsetBytes      start within `memory`, page-aligned
/// @param lengthBytes      positive multiple of the page size
public record CopyRun(long hostAddressBytes, DeviceMemory memory, long offsetBytes, long lengthBytes) {}
