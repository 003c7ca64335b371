package io.github.hmm4j.device;

/// Frames `[first, first + count)` of one [FrameMemory], contiguous in device memory.
public record FrameRun(int first, int count) {

    public int end() {
        return first + count;
    }
}
