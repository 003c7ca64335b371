package io.github.hmm4j.device.sim;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// One contiguous move of bytes, or a fill with zeros: what a copy lane does.
///
/// @param source       device memory that is read, if it is on this device
/// @param sourceOffset where in `source`
/// @param from         the bytes to copy, or null for zeros
/// @param target       device memory that is written, if it is on this device
/// @param targetOffset where in `target`
/// @param to           the bytes to write, as many as in `from`
record Transfer(
        @Nullable SimMemory source, long sourceOffset, @Nullable MemorySegment from,
        @Nullable SimMemory target, long targetOffset, MemorySegment to) {

    static Transfer toDevice(MemorySegment host, SimMemory target, long offset) {
        return new Transfer(null, 0, host, target, offset, target.segment().asSlice(offset, host.byteSize()));
    }

    static Transfer toHost(SimMemory source, long offset, MemorySegment host) {
        return new Transfer(source, offset, source.segment().asSlice(offset, host.byteSize()), null, 0, host);
    }

    static Transfer onDevice(SimMemory source, long sourceOffset, SimMemory target, long targetOffset, long length) {
        return new Transfer(source, sourceOffset, source.segment().asSlice(sourceOffset, length),
                target, targetOffset, target.segment().asSlice(targetOffset, length));
    }

    static Transfer zero(SimMemory target, long offset, long length) {
        return new Transfer(null, 0, null, target, offset, target.segment().asSlice(offset, length));
    }

    /// Does it; true if it read what nobody had written.
    boolean run() {
        boolean undefined = source != null && !source.isDefined(source.startBytes() + sourceOffset, to.byteSize());
        move(to.byteSize());
        if (target != null) {
            target.markDefined(target.startBytes() + targetOffset, to.byteSize(), !undefined);
        }
        return undefined;
    }

    /// What a failed transfer leaves: the first half moved, garbage in the rest, and none of it to be relied on.
    void spoil() {
        long moved = to.byteSize() / 2;
        move(moved);
        to.asSlice(moved).fill(SimMemory.SCRIBBLE);
        if (target != null) {
            target.markDefined(target.startBytes() + targetOffset, to.byteSize(), false);
        }
    }

    private void move(long lengthBytes) {
        if (from == null) {
            to.asSlice(0, lengthBytes).fill((byte) 0);
        } else {
            MemorySegment.copy(from, 0, to, 0, lengthBytes);
        }
    }

    void retain() {
        if (source != null) {
            source.retain();
        }
        if (target != null) {
            try {
                target.retain();
            } catch (IllegalStateException e) {
                if (source != null) {
                    source.release();
                }
                throw e;
            }
        }
    }

    void release() {
        if (source != null) {
            source.release();
        }
        if (target != null) {
            target.release();
        }
    }
}
