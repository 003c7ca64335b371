package io.github.hmm4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.BitSet;
import org.junit.jupiter.api.Test;

/// What of hmm.clh looks at blocks of objects without a way out: on the page that is kept, and here and there.
final class PagedBlocksTest {

    /// The page is kept in the middle of a round; addresses are asked for on it and before and behind it.
    @Test
    void whatIsKeptIsWhatIsFoundOnThatPage() {
        Source probe = Source.text("probe", """
                #include "hmm.clh"
                kernel void probe(HMM_HEAP, const ulong on, const ulong from, const uint count, global int *said) {
                    HMM_BEGIN;
                    hmm_read_cache reads = HMM_NO_PAGE;
                    hmm_write_cache writes = HMM_NO_PAGE;
                    for (uint i = 0; i < count; i++) {
                        if (HMM_KEPT(uint, from + i, &reads) || HMM_KEPT(uint, from + i, &writes)) {
                            return;
                        }
                    }
                    if (!HMM_READ_CACHED(uint, on, &reads) || !HMM_WRITE_CACHED(uint, on, &writes)) {
                        return;
                    }
                    global const uchar *page = HMM_READ(uchar, on - (on - hmm_base & HMM_PAGE_MASK));
                    for (uint i = 0; i < count; i++) {
                        const ulong at = from + i;
                        global const uint *read = HMM_READ_KEPT(uint, at, &reads);
                        global uint *written = HMM_WRITE_KEPT(uint, at, &writes);
                        const bool kept = HMM_KEPT(uint, at, &reads);
                        said[i] = kept
                            | (HMM_KEPT(uint, at, &writes) == kept) << 1
                            | (read == written && (ulong)((global const uchar *)read - page) <= HMM_PAGE_MASK) << 2
                            | (kept && read == HMM_READ(uint, at) && written == HMM_WRITE(uint, at)) << 3;
                    }
                    HMM_END;
                }
                """);
        Seeded.run(random -> {
            try (ClHarness cl = ClHarness.openOrSkip()) {
                for (int pageShift : new int[] {6, 8, 12}) {
                    long base = PagedTest.BASES[random.nextInt(PagedTest.BASES.length)];
                    int pageBytes = 1 << pageShift;
                    var host = new PagedHost(cl, new byte[5 * pageBytes], base, pageShift, 3, 4, random);
                    ClHarness.Buffer said = cl.ints(new int[5 * pageBytes]);
                    long on = base + 2 * pageBytes + 4 * random.nextInt(pageBytes / 4);
                    host.begin(probe, "probe", 1, 1, on, base, 5 * pageBytes, said);
                    host.bring(4, PagedHost.TO_READ);
                    host.bring(2, PagedHost.TO_WRITE);
                    host.finish();
                    assertThat(host.rounds()).isEqualTo(1);
                    int mayBegin = pageBytes - (pageBytes < 256 ? 16 : 128);
                    for (int i = 0; i < 5 * pageBytes; i++) {
                        boolean kept = i >= 2 * pageBytes && i <= 2 * pageBytes + mayBegin;
                        assertThat(said.toInts()[i]).as("byte %d, pages of %d", i, pageBytes).isEqualTo(kept ? 15 : 6);
                    }
                }
            }
        });
    }

    /// Four kinds of pages: looked at before, there, missing, outside; and every address on them, or over their edges.
    @Test
    void peekingTellsNobodyAndStaysInTheDevicesMemory() {
        Source probe = Source.text("probe", """
                #include "hmm.clh"
                kernel void probe(HMM_HEAP_CONST, const ulong looked, const ulong from, const uint count,
                                  global int *said, global int *lies) {
                    HMM_BEGIN;
                    if (!HMM_READ(uint, looked)) {
                        return;
                    }
                    for (uint i = 0; i < count; i++) {
                        uint ready = 1;
                        global const uint *object = HMM_PEEK(uint, from + i, &ready);
                        said[i] = ready | HMM_READY(uint, from + i) << 1
                            | (HMM_READ_READY(uint, from + i) == object) << 2;
                        lies[i] = (int)((global const uchar *)object - hmm_image);
                        ready = 0;
                        HMM_PEEK(uint, looked, &ready);
                        said[i] |= ready << 3;          // once 0, always 0
                    }
                    HMM_END;
                }
                """);
        Seeded.run(random -> {
            try (ClHarness cl = ClHarness.openOrSkip()) {
                for (long base : PagedTest.BASES) {
                    int pageBytes = 1 << 7;
                    int count = 7 * pageBytes;
                    var host = new PagedHost(cl, new byte[5 * pageBytes], base, 7, 4, 4, random);
                    ClHarness.Buffer said = cl.ints(new int[count]);
                    ClHarness.Buffer lies = cl.ints(new int[count]);
                    host.begin(probe, "probe", 1, 1, base + 3 * pageBytes, base - pageBytes, count, said, lies);
                    host.bring(4, PagedHost.TO_READ);           // frame 0
                    host.bring(1, PagedHost.TO_WRITE);
                    host.bring(3, PagedHost.TO_READ);           // frame 2
                    int[] words = host.round(PagedHost.EVERYBODY);
                    assertThat(Arrays.copyOf(words, 4)).containsExactly(0, 1, 0, 0);
                    assertThat(host.read()).isEqualTo(BitSet.valueOf(new long[] {1 << 3}));
                    for (int i = 0; i < count; i++) {
                        int inHeap = i - pageBytes;
                        boolean ready = inHeap >= 3 * pageBytes && inHeap <= 4 * pageBytes - 4;
                        String what = "base=%#x, byte %d".formatted(base, inHeap);
                        assertThat(said.toInts()[i]).as(what).isEqualTo(ready ? 7 : 4);
                        assertThat(lies.toInts()[i]).as(what).isBetween(0, 4 * pageBytes - 4);
                        if (ready) {
                            assertThat(lies.toInts()[i]).as(what).isEqualTo(inHeap - pageBytes);
                        }
                    }
                }
            }
        });
    }
}
