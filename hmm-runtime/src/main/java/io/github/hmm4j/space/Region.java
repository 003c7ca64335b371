package io.github.hmm4j.space;

/// A piece of the address space that the program allocated: what the kernel calls a VMA.
///
/// @param id     positive, not used again for two thousand million allocations; tells frames of this region from those of another that had the address before
/// @param range  page-aligned addresses; the last page may be longer than what was asked for
/// @param requestedBytes size that the program asked for
public record Region(int id, VaRange range, long requestedBytes) {}
