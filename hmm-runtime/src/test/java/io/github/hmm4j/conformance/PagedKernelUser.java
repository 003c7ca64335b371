package io.github.hmm4j.conformance;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import io.github.hmm4j.Arg;
import io.github.hmm4j.HmmDevice;
import io.github.hmm4j.conformance.KnownMemory.Held;
import io.github.hmm4j.conformance.KnownMemory.Strip;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.SplittableRandom;

/// Launches kernels that go through the device's page table, on the same strips that others touch, move and use in windows.
final class PagedKernelUser extends Actor {

    private final PagedKernels kernels;

    PagedKernelUser(Rig rig, KnownMemory memory, Turns turns, long seed, int number) {
        super(rig, memory, turns, null, seed, number);
        kernels = new PagedKernels(rig);
    }

    @Override
    void step() {
        turns.launched();
        HmmDevice device = rig.hmm.devices().get(random.nextInt(rig.hmm.devices().size()));
        Strip to = memory.anyStrip(random);
        switch (random.nextInt(3)) {
            case 0 -> fill(device, to, random);
            case 1 -> add(device, to);
            default -> copy(device, memory.anyStrip(random), to);
        }
    }

    private void fill(HmmDevice device, Strip strip, SplittableRandom choices) {
        int start = choices.nextInt();
        doing("fill through the table", strip);
        try (Held _ = KnownMemory.hold(List.of(strip))) {
            int count = strip.bytes.length / Integer.BYTES;
            kernels.fill(device, Arg.out(strip.segment()), start);
            for (int i = 0; i < count; i++) {
                strip.expected().set(JAVA_INT_UNALIGNED, 4L * i, start + i);
            }
        }
    }

    private void add(HmmDevice device, Strip strip) {
        int delta = random.nextInt();
        doing("add through the table", strip);
        try (Held _ = KnownMemory.hold(List.of(strip))) {
            int count = strip.bytes.length / Integer.BYTES;
            kernels.add(device, strip.segment(), delta);
            MemorySegment expected = strip.expected();
            for (int i = 0; i < count; i++) {
                expected.set(JAVA_INT_UNALIGNED, 4L * i, expected.get(JAVA_INT_UNALIGNED, 4L * i) + delta);
            }
        }
    }

    private void copy(HmmDevice device, Strip from, Strip to) {
        if (from == to) {
            return;
        }
        doing("copy through the table", from, to);
        try (Held _ = KnownMemory.hold(List.of(from, to))) {
            int length = Math.min(from.bytes.length, to.bytes.length);
            kernels.copy(device, from.segment().asSlice(0, length), Arg.inOut(to.segment().asSlice(0, length)));
            System.arraycopy(from.bytes, 0, to.bytes, 0, length);
        }
    }
}
