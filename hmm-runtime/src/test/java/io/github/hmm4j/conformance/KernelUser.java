package io.github.hmm4j.conformance;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import io.github.hmm4j.Arg;
import io.github.hmm4j.HmmDevice;
import io.github.hmm4j.Launch;
import io.github.hmm4j.conformance.KnownMemory.Held;
import io.github.hmm4j.conformance.KnownMemory.Strip;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.IntBinaryOperator;

/// Launches kernels and gives strips out of hand as soon as a kernel is launched: whoever touches them next must see what it does, whether it has ended or not. Where kernels fault nobody waits for them, so
/// there a strip stays in hand until its kernel has ended, while others touch those beside it.
final class KernelUser extends Actor {

    private static final int IN_FLIGHT = 4;

    private final Deque<Launch> launches = new ArrayDeque<>();

    KernelUser(Rig rig, KnownMemory memory, Turns turns, long seed, int number) {
        super(rig, memory, turns, null, seed, number);
    }

    @Override
    void step() {
        turns.launched();
        HmmDevice device = rig.hmm.devices().get(random.nextInt(rig.hmm.devices().size()));
        Strip to = memory.anyStrip(random);
        switch (random.nextInt(3)) {
            case 0 -> fill(device, to);
            case 1 -> add(device, to);
            default -> copy(device, memory.anyStrip(random), to);
        }
        while (launches.size() > random.nextInt(IN_FLIGHT + 1)) {
            launches.removeFirst().await();
        }
    }

    private void fill(HmmDevice device, Strip strip) {
        int start = random.nextInt();
        doing("fill", strip);
        try (Held _ = KnownMemory.hold(List.of(strip))) {
            launched(rig.launchFill(device, output(strip.segment()), start));
            eachInt(strip.expected(), (i, _) -> start + i);
        }
    }

    private void add(HmmDevice device, Strip strip) {
        int delta = random.nextInt();
        doing("add to", strip);
        try (Held _ = KnownMemory.hold(List.of(strip))) {
            launched(rig.launchAdd(device, strip.segment(), delta));
            eachInt(strip.expected(), (_, old) -> old + delta);
        }
    }

    private void copy(HmmDevice device, Strip from, Strip to) {
        if (from == to) {
            return;
        }
        doing("copy", from, to);
        try (Held _ = KnownMemory.hold(List.of(from, to))) {
            int length = Math.min(from.bytes.length, to.bytes.length);
            launched(rig.launchCopy(device, Arg.in(from.segment().asSlice(0, length)), output(to.segment().asSlice(0, length))));
            System.arraycopy(from.bytes, 0, to.bytes, 0, length);
        }
    }

    private void launched(Launch launch) {
        if (rig.isFaulting()) {
            launch.await();
        } else {
            launches.add(launch);
        }
    }

    private Arg output(MemorySegment segment) {
        return random.nextBoolean() ? Arg.out(segment) : Arg.inOut(segment);
    }

    private static void eachInt(MemorySegment ints, IntBinaryOperator next) {
        for (int i = 0; i < ints.byteSize() / 4; i++) {
            ints.set(JAVA_INT_UNALIGNED, 4L * i, next.applyAsInt(i, ints.get(JAVA_INT_UNALIGNED, 4L * i)));
        }
    }

    @Override
    void finish() {
        launches.forEach(Launch::await);
    }
}
