package io.github.hmm4j.transparent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.Access;
import io.github.hmm4j.ManagedHeap;
import io.github.hmm4j.OtherFrees;
import io.github.hmm4j.pager.HostAccess.Mode;
import io.github.hmm4j.pager.HostPin;
import io.github.hmm4j.space.Protection;
import io.github.hmm4j.transparent.DevicePages.Way;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Channels that give the address of managed memory to the kernel, while its pages are on the device: served where the rung allows it, else refused with nothing lost, and good under a
/// pin everywhere.
class SystemCallsTest {

    private static final int SIZE = 300_000; // more than a pipe holds; neither whole pages nor the size of a buffer

    @TempDir
    private Path folder;

    private final byte[] before = random(1);
    private final byte[] payload = random(2);

    static Stream<Arguments> channelsOnEachRung() {
        return Stream.of(Wire.Kind.values()).flatMap(kind -> Stream.of(Mode.UFFD, Mode.SIGSEGV).map(mode -> Arguments.of(kind, mode)));
    }

    @ParameterizedTest
    @MethodSource("channelsOnEachRung")
    void writesPagesOfTheDevice(Wire.Kind kind, Mode mode) throws IOException {
        try (DevicePages pages = new DevicePages(mode)) {
            MemorySegment managed = pages.holding(MemorySegment.ofArray(payload), Way.WRITTEN_BY_A_KERNEL);
            if (pages.hmm().hostAccess().fromSystemCalls()) {
                assertThat(written(kind, managed)).isEqualTo(payload);
                assertThat(pages.fetched()).as("pages fetched by faults of the kernel").isPositive();
            } else {
                assertThatThrownBy(() -> written(kind, managed)).isInstanceOf(IOException.class).hasMessageContaining("Bad address");
                pages.assertOnDevice(managed);
                try (HostPin _ = pages.heap().pin(managed, Access.READ)) {
                    assertThat(written(kind, managed)).isEqualTo(payload);
                }
            }
            assertThat(Wire.bytesOf(managed)).isEqualTo(payload);
        }
    }

    @ParameterizedTest
    @MethodSource("channelsOnEachRung")
    void readsIntoPagesOfTheDevice(Wire.Kind kind, Mode mode) throws IOException {
        try (DevicePages pages = new DevicePages(mode)) {
            MemorySegment managed = pages.holding(MemorySegment.ofArray(before), Way.WRITTEN_BY_A_KERNEL);
            if (pages.hmm().hostAccess().fromSystemCalls()) {
                read(kind, managed);
                assertThat(pages.fetched()).as("pages fetched by faults of the kernel").isPositive();
            } else {
                assertThatThrownBy(() -> read(kind, managed)).isInstanceOf(IOException.class).hasMessageContaining("Bad address");
                pages.assertOnDevice(managed);
                assertThat(Wire.bytesOf(managed)).isEqualTo(before);
                pages.heap().prefetch(managed, pages.hmm().device());
                try (HostPin _ = pages.heap().pin(managed, Access.WRITE)) {
                    read(kind, managed);
                }
            }
            assertThat(Wire.bytesOf(managed)).isEqualTo(payload);
            pages.heap().prefetch(managed, pages.hmm().device()); // what the kernel wrote is what the device gets
            pages.assertOnDevice(managed);
            assertThat(Wire.bytesOf(managed)).isEqualTo(payload);
        }
    }

    /// What made system calls fail on these addresses before.
    enum Past { FREED, MOVED_AWAY, READ_ONLY, CLOSED }

    static Stream<Arguments> pastsOnEachRung() {
        return Stream.of(Past.values()).flatMap(past -> Stream.of(Mode.UFFD, Mode.SIGSEGV).map(mode -> Arguments.of(past, mode)));
    }

    /// Nobody touches the pages by hand in between.
    @ParameterizedTest
    @MethodSource("pastsOnEachRung")
    void servesWhatWasRefusedBefore(Past past, Mode mode) throws IOException {
        try (DevicePages pages = new DevicePages(mode)) {
            for (boolean pinned : new boolean[] {true, false}) {
                MemorySegment managed = refusedOnce(past, pages.heap(), pages.holding(MemorySegment.ofArray(before), Way.WRITTEN_BY_A_KERNEL));
                if (pinned) {
                    try (HostPin _ = pages.heap().pin(managed, Access.WRITE)) {
                        read(Wire.Kind.FILE, managed);
                        assertThat(written(Wire.Kind.FILE, managed)).isEqualTo(payload);
                    }
                } else if (pages.hmm().hostAccess().fromSystemCalls()) {
                    read(Wire.Kind.FILE, managed);
                    assertThat(written(Wire.Kind.FILE, managed)).isEqualTo(payload);
                } else {
                    managed.copyFrom(MemorySegment.ofArray(payload));
                }
                assertThat(Wire.bytesOf(managed)).isEqualTo(payload);
                pages.heap().free(managed);
            }
        }
    }

    /// Returns memory at addresses of the one before with which nothing is wrong any more.
    private MemorySegment refusedOnce(Past past, ManagedHeap heap, MemorySegment managed) {
        switch (past) {
            case FREED -> heap.free(managed);
            case MOVED_AWAY -> heap.free(heap.move(managed));
            case READ_ONLY -> heap.protect(managed, Protection.READ);
            case CLOSED -> heap.protect(managed, Protection.NONE);
        }
        MemorySegment addresses = MemorySegment.ofAddress(managed.address()).reinterpret(SIZE); // the segment is not alive any more, if it was freed
        assertThatThrownBy(() -> read(Wire.Kind.FILE, addresses)).isInstanceOf(IOException.class).hasMessageContaining("Bad address");
        if (past == Past.READ_ONLY || past == Past.CLOSED) {
            heap.protect(managed, Protection.READ_WRITE);
            return managed;
        }
        OtherFrees.pass(heap);
        MemorySegment again = heap.allocate(SIZE);
        for (int others = 0; Math.abs(again.address() - managed.address()) >= SIZE; others++) {
            assertThat(others).isLessThan(4);
            again = heap.allocate(SIZE);
        }
        return again;
    }

    private byte[] written(Wire.Kind kind, MemorySegment managed) throws IOException {
        try (Wire wire = Wire.open(kind, folder)) {
            Wire.writeAll(wire.sink(), managed);
            return wire.arrived();
        }
    }

    private void read(Wire.Kind kind, MemorySegment managed) throws IOException {
        try (Wire wire = Wire.open(kind, folder)) {
            Wire.readAll(wire.source(payload), managed);
        }
    }

    private static byte[] random(long seed) {
        byte[] bytes = new byte[SIZE];
        new SplittableRandom(seed).nextBytes(bytes);
        return bytes;
    }
}
