package io.github.hmm4j.transparent;

import java.lang.foreign.MemorySegment;

/// Code that knows nothing of managed memory: works on a segment, may change it, and says what it found.
///
/// @param body returns something with `equals`
record Code(String name, Body body) {

    @FunctionalInterface
    interface Body {
        Object run(MemorySegment segment) throws Throwable;
    }

    @Override
    public String toString() {
        return name;
    }
}
