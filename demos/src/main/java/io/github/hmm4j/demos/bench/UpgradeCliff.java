package io.github.hmm4j.demos.bench;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.github.hmm4j.Hmm;
import io.github.hmm4j.demos.harness.BenchRow;
import io.github.hmm4j.demos.harness.BenchRow.Target;
import io.github.hmm4j.demos.report.Progress;
import java.lang.foreign.MemorySegment;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/// A store to a large page that was read before anybody had written it, beside a store to one that host and device
/// both have. Both only lift a protection.
///
/// The heap must bring no neighbours along with a page.
final class UpgradeCliff {
    private final Hmm hmm;
    private final CliffBench.Sizes sizes;
    private final Progress progress;
    private final long pageBytes;

    UpgradeCliff(Hmm hmm, CliffBench.Sizes sizes, Progress progress) {
        this.hmm = hmm;
        this.sizes = sizes;
        this.progress = progress;
        pageBytes = hmm.heap().pageSize().bytes();
    }

    BenchRow row() throws Exception {
        String name = FaultBench.named("cliff.write_after_zero_read", pageBytes);
        progress.step(name);
        Turns turns = Turns.take(sizes.warmUps(), sizes.runs(), progress,
            () -> microsOfWrites(fresh()), () -> microsOfWrites(shared()));
        Map<String, Long> facts = new TreeMap<>(Map.of("pageSizeBytes", pageBytes, "pages", (long) sizes.largePages()));
        facts.put("upgradeNanos", Math.round(turns.theirs().median() * 1e3));
        Samples ratio = turns.ratio();
        return Subject.rows(hmm).ratio(name, turns.ours().median(), "us", ratio,
            "a store to a page that host and device both have", facts,
            Target.atMost(ratio.median(), 1.5));
    }

    private MemorySegment fresh() {
        MemorySegment segment = hmm.heap().allocate(sizes.largePages() * pageBytes, pageBytes);
        requireRead(segment, (byte) 0);
        return segment;
    }

    private MemorySegment shared() {
        MemorySegment segment = hmm.heap().allocate(sizes.largePages() * pageBytes, pageBytes);
        segment.fill((byte) 1);
        hmm.heap().prefetch(segment, hmm.device());
        requireRead(segment, (byte) 1);
        return segment;
    }

    private void requireRead(MemorySegment segment, byte expected) {
        for (long offset = 0; offset < segment.byteSize(); offset += pageBytes) {
            if (segment.get(JAVA_BYTE, offset) != expected) {
                throw new IllegalStateException(String.format(Locale.ROOT, "offset=%d, found=%d, expected=%d",
                    offset, segment.get(JAVA_BYTE, offset), expected));
            }
        }
    }

    /// The median over the pages; the segment is given back.
    private double microsOfWrites(MemorySegment segment) {
        Samples micros = new Samples();
        for (long offset = 0; offset < segment.byteSize(); offset += pageBytes) {
            long start = System.nanoTime();
            segment.set(JAVA_BYTE, offset, (byte) 2);
            micros.add((System.nanoTime() - start) / 1e3);
        }
        requireRead(segment, (byte) 2);
        hmm.heap().free(segment);
        return micros.median();
    }
}
