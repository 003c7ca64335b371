package io.github.hmm4j.demos.micro;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.page.PageTable;
import io.github.hmm4j.page.PageWord;
import io.github.hmm4j.page.Transition;
import io.github.hmm4j.space.PageSize;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/// Changes of one page's word that nobody contends for.
@State(Scope.Thread)
public class Words {
    private static final VarHandle WORD = JAVA_LONG.varHandle();
    private static final long PAGE = 5;
    private static final int DEVICE = 0;
    private static final int TRANSITIONS = 4;

    private final PageTable table = new PageTable(64, PageSize.DEFAULT);
    private final Arena arena = Arena.ofShared();
    private final MemorySegment bare = arena.allocate(JAVA_LONG);

    /// Starts with the page on the host.
    public Words() {
        checked(table.transition(PAGE, Transition.FIRST_TOUCH, table.word(PAGE), PageWord.toHost(table.word(PAGE))));
    }

    @TearDown
    public void close() {
        table.close();
        arena.close();
    }

    @Benchmark
    @Measures("the floor of a transition: read a word and compare-and-set it, with no table of transitions")
    public void bareCompareAndSet() {
        long word = (long) WORD.getAcquire(bare, 0L);
        checked(WORD.compareAndSet(bare, 0L, word, word + 1));
    }

    @Benchmark
    @OperationsPerInvocation(TRANSITIONS)
    @Measures("one of the four transitions that take a page to a device and home again: claim, commit, claim, land")
    public void transition() {
        long home = table.word(PAGE);
        long leaving = PageWord.toClaimedForDevice(home, DEVICE, true);
        long there = PageWord.toDevice(leaving, DEVICE);
        long returning = PageWord.toClaimedForHost(there, true);
        checked(table.transition(PAGE, Transition.CLAIM_FOR_DEVICE, home, leaving)
            && table.transition(PAGE, Transition.COMMIT_DEVICE, leaving, there)
            && table.transition(PAGE, Transition.CLAIM_FOR_HOST, there, returning)
            && table.transition(PAGE, Transition.LAND_HOST, returning, PageWord.toHost(returning)));
    }

    @Benchmark
    @Measures("count a reading view in a page's word and take it back: what a view costs for each of its pages at least")
    public void pinAndUnpin() {
        checked(table.pin(PAGE, table.word(PAGE), false));
        table.unpin(PAGE, false);
    }

    private static void checked(boolean done) {
        if (!done) {
            throw new IllegalStateException("a word changed that nobody else uses");
        }
    }
}
