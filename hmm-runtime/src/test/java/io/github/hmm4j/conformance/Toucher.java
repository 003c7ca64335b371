package io.github.hmm4j.conformance;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import io.github.hmm4j.conformance.KnownMemory.Held;
import io.github.hmm4j.conformance.KnownMemory.Strip;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.List;

/// Loads, stores and copies as any code makes them, on the segments themselves.
final class Toucher extends Actor {

    Toucher(Rig rig, KnownMemory memory, Turns turns, long seed, int number) {
        super(rig, memory, turns, turns.touches, seed, number);
    }

    @Override
    void step() {
        Strip strip = memory.anyStrip(random);
        int operation = random.nextInt(10);
        doing("touch", operation, strip);
        if (operation == 9) {
            copyTo(strip, memory.anyStrip(random));
            return;
        }
        try (Held _ = KnownMemory.hold(List.of(strip))) {
            int start = random.nextInt(strip.bytes.length);
            int end = start + 1 + random.nextInt(strip.bytes.length - start);
            touch(operation, strip, start, end);
        }
    }

    private void touch(int operation, Strip strip, int start, int end) {
        MemorySegment part = strip.segment().asSlice(start, end - start);
        switch (operation) {
            case 0, 1 -> strip.check(MemorySegment.ofArray(new byte[] {part.get(JAVA_BYTE, 0)}), start);
            case 2, 3 -> {
                byte value = (byte) random.nextInt();
                part.set(JAVA_BYTE, 0, value);
                strip.bytes[start] = value;
            }
            case 4 -> {
                long at = Math.max(0, start - Long.BYTES + 1); // may lie across two pages
                long value = random.nextLong();
                strip.segment().set(JAVA_LONG_UNALIGNED, at, value);
                strip.expected().set(JAVA_LONG_UNALIGNED, at, value);
            }
            case 5 -> strip.check(MemorySegment.ofArray(part.toArray(JAVA_BYTE)), start);
            case 6 -> strip.check(part, start); // a vectorized comparison that faults in the middle
            case 7 -> {
                byte[] written = new byte[end - start];
                random.nextBytes(written);
                ByteBuffer buffer = part.asByteBuffer();
                buffer.put(written);
                System.arraycopy(written, 0, strip.bytes, start, written.length);
            }
            default -> {
                byte value = (byte) random.nextInt();
                part.fill(value);
                strip.expected().asSlice(start, end - start).fill(value);
            }
        }
    }

    private void copyTo(Strip from, Strip to) {
        if (from == to) {
            return;
        }
        try (Held _ = KnownMemory.hold(List.of(from, to))) {
            int length = Math.min(from.bytes.length, to.bytes.length);
            MemorySegment.copy(from.segment(), 0, to.segment(), 0, length);
            System.arraycopy(from.bytes, 0, to.bytes, 0, length);
        }
    }
}
