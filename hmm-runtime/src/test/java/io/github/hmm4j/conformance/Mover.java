package io.github.hmm4j.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.HmmDevice;
import io.github.hmm4j.conformance.KnownMemory.Block;
import io.github.hmm4j.error.AccessViolationException;
import java.lang.foreign.MemorySegment;

/// Moves pages to and fro, whoever uses them: nobody's bytes change.
final class Mover extends Actor {

    private final int mostPages;
    private final int leastFaultingPages;

    /// @param mostPages that one call moves
    Mover(Rig rig, KnownMemory memory, Turns turns, long seed, int number, int mostPages) {
        super(rig, memory, turns, turns.moves, seed, number);
        this.mostPages = mostPages;
        leastFaultingPages = rig.isFaulting() ? Rig.leastFaultingPages() : 0;
    }

    @Override
    void step() {
        Block block = memory.anyBlock(random);
        int first = random.nextInt(block.wholePages());
        int end = first + 1 + random.nextInt(Math.min(mostPages, block.wholePages() - first));
        HmmDevice device = rig.hmm.devices().get(random.nextInt(rig.hmm.devices().size()));
        MemorySegment pages = block.pages(first, end);
        int operation = random.nextInt(16);
        doing("move", operation, pages);
        try {
            switch (operation) {
                case 0 -> rig.hmm.evictAll(device);
                case 1, 2, 3, 4 -> rig.heap.prefetchHost(pages);
                case 5, 6, 7, 8, 9, 10, 11, 12, 13 -> toDevice(pages, device, operation < 10);
                case 14 -> assertThat(rig.snap(device, pages)).hasSize(end - first);
                default -> assertThat(rig.heap.residency(pages).poisonedBytes()).isZero();
            }
        } catch (IllegalArgumentException e) { // freed or moved away meanwhile: the only thing that a range of ours may be refused for
            assertThat(e).hasMessageMatching(".*(was freed|is not within one managed region).*");
        } catch (AccessViolationException e) { // closed meanwhile
            assertThat(e.kind()).isEqualTo(AccessViolationException.Kind.FAULT);
        }
    }

    /// Where kernels bring their pages themselves nobody else does, but may say how many may be there.
    private void toDevice(MemorySegment pages, HmmDevice device, boolean all) {
        if (rig.isFaulting()) {
            rig.heap.quota(pages, device, random.nextInt(4) == 0 ? Long.MAX_VALUE : (long) (leastFaultingPages + random.nextInt(20)) * rig.pageBytes());
        } else if (all) {
            rig.heap.prefetch(pages, device);
        } else {
            rig.heap.migrate(pages, device);
        }
    }
}
