package io.github.hmm4j.conformance;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.Access;
import io.github.hmm4j.conformance.KnownMemory.Block;
import io.github.hmm4j.conformance.KnownMemory.Held;
import io.github.hmm4j.conformance.KnownMemory.Strip;
import io.github.hmm4j.error.AccessViolationException;
import io.github.hmm4j.pager.HostPin;
import io.github.hmm4j.pager.HostView;
import io.github.hmm4j.space.Protection;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// Tells the heap things about memory that others use at the same time: what is dead, what is forbidden, what must stay, what is gone.
///
/// Never waits for a strip while it has a view or a pin, since launches wait for those with strips in their hands.
final class Adviser extends Actor {

    private volatile byte seen;

    Adviser(Rig rig, KnownMemory memory, Turns turns, long seed, int number) {
        super(rig, memory, turns, turns.advice, seed, number);
    }

    @Override
    void step() {
        int operation = random.nextInt(16);
        Block block = memory.anyBlock(random);
        doing("advise", operation, block.segment());
        switch (operation) {
            case 0, 1, 2, 3 -> view(memory.anyStrip(random), random.nextBoolean());
            case 4, 5, 6 -> pin(memory.anyStrip(random), random.nextBoolean());
            case 7, 8, 9 -> discard(block);
            case 10, 11 -> forbidWriting(block);
            case 12, 13 -> forbid(block);
            case 14 -> replace(block);
            default -> move(block);
        }
    }

    private void view(Strip strip, boolean write) {
        doing("view", strip, write);
        try (Held _ = KnownMemory.hold(List.of(strip));
                HostView view = rig.heap.view(strip.segment(), write ? Access.WRITE : Access.READ)) {
            use(strip, view.segment(), write);
        }
    }

    private void pin(Strip strip, boolean write) {
        doing("pin", strip, write);
        try (Held _ = KnownMemory.hold(List.of(strip));
                HostPin _ = rig.heap.pin(strip.segment(), write ? Access.WRITE : Access.READ)) {
            use(strip, strip.segment(), write);
        }
    }

    private void use(Strip strip, MemorySegment bytes, boolean write) {
        strip.check(bytes, 0);
        if (write) {
            random.nextBytes(strip.bytes);
            bytes.copyFrom(strip.expected());
        }
    }

    private void discard(Block block) {
        int first = random.nextInt(block.wholePages());
        int end = first + 1 + random.nextInt(Math.min(3, block.wholePages() - first));
        doing("discard", block.segment(), first, end);
        try (Held _ = block.holdPages(first, end)) {
            rig.heap.discard(block.pages(first, end));
            block.zeroed(first * rig.pageBytes(), end * rig.pageBytes());
        }
    }

    private void forbidWriting(Block block) {
        int page = random.nextInt(block.wholePages());
        doing("forbid writing", block.segment(), page);
        try (Held _ = block.holdPages(page, page + 1)) {
            MemorySegment pages = block.pages(page, page + 1);
            rig.heap.protect(pages, Protection.READ);
            load(pages);
            assertThatThrownBy(() -> store(pages)).isInstanceOf(InternalError.class);
            assertRefused(AccessViolationException.Kind.PERMISSION, pages);
            rig.heap.protect(pages, Protection.READ_WRITE);
        }
    }

    private void forbid(Block block) {
        int page = random.nextInt(block.wholePages());
        doing("forbid", block.segment(), page);
        try (Held _ = block.holdPages(page, page + 1)) {
            MemorySegment pages = block.pages(page, page + 1);
            rig.heap.protect(pages, Protection.NONE);
            assertThatThrownBy(() -> load(pages)).isInstanceOf(InternalError.class);
            assertRefused(AccessViolationException.Kind.FAULT, pages);
            rig.heap.protect(pages, Protection.READ_WRITE);
        }
    }

    private void assertRefused(AccessViolationException.Kind kind, MemorySegment pages) {
        assertThatThrownBy(() -> rig.launchFill(rig.device(0), pages, 1).await()) // where kernels fault it is told at the end, and any address of the page may be the first
                .isInstanceOfSatisfying(AccessViolationException.class, violation -> {
                    assertThat(violation.kind()).isEqualTo(kind);
                    assertThat(violation.addressBytes() - pages.address()).isBetween(0L, rig.isFaulting() ? pages.byteSize() - 1 : 0L);
                });
    }

    private void replace(Block block) {
        doing("replace", block.segment());
        try (Held _ = block.holdAll()) {
            MemorySegment old = block.segment();
            rig.heap.free(old);
            assertGone(old);
            block.becomes(rig.heap.allocate(old.byteSize(), 1));
            block.zeroed();
        }
    }

    private void move(Block block) {
        doing("move", block.segment());
        try (Held _ = block.holdAll()) {
            MemorySegment old = block.segment();
            block.becomes(rig.heap.move(old));
            assertGone(old);
        }
    }

    /// The segment may not be alive any more, and what lies there is nobody's.
    private void assertGone(MemorySegment old) {
        assertThatThrownBy(() -> load(MemorySegment.ofAddress(old.address()).reinterpret(old.byteSize()))).isInstanceOf(InternalError.class);
        assertThatThrownBy(() -> load(old)).isInstanceOfAny(InternalError.class, IllegalStateException.class);
    }

    private void load(MemorySegment pages) {
        seen = pages.get(JAVA_BYTE, random.nextInt((int) pages.byteSize()));
        Thread.yield(); // here at the latest the thread is told of the error
    }

    private void store(MemorySegment pages) {
        pages.set(JAVA_BYTE, random.nextInt((int) pages.byteSize()), (byte) 1);
        Thread.yield();
    }
}
