package io.github.hmm4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.hmm4j.account.Counter;
import io.github.hmm4j.device.NDRange;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What a kernel does with memory, said once for all its launches.
@Timeout(60)
class IntentsTest {

    private static final int PAGES = 3;

    private final Rig rig = Rig.windows(1, 16);
    private final Kernel copy = rig.kernel("copy_freely");
    private final MemorySegment in = rig.filled(PAGES, 1);
    private final MemorySegment out = rig.filled(PAGES, 9);

    @AfterEach
    void close() {
        rig.close();
    }

    private Launch launch(Kernel kernel, Object to, Object from) {
        return kernel.args(to, from, Rig.ints(out)).launch(NDRange.of(1)).await();
    }

    /// Pages that come home when the host overwrites the input for the next launch, which must see what was written.
    private long fetchedToRefill(Kernel kernel) {
        launch(kernel, out, in);
        long before = rig.count(Counter.VIEW_FETCHED_PAGES);
        rig.write(in, 2);
        long fetched = rig.count(Counter.VIEW_FETCHED_PAGES) - before;
        launch(kernel, out, in);
        assertThat(rig.values(out)).containsExactly(2);
        assertThat(rig.values(in)).containsExactly(2);
        return fetched;
    }

    @Test
    void theHostOverwritesWhatAKernelReadsWithoutAFetch() {
        assertThat(fetchedToRefill(copy)).isEqualTo(PAGES);
        assertThat(fetchedToRefill(copy.reads("in"))).isZero();
        assertThat(fetchedToRefill(copy.reads(1))).isZero();
    }

    @Test
    void whatAKernelOverwritesIsNotCopiedIn() {
        assertThat(launch(copy.reads("in").writes("out"), out, in).moves().bytesCopied()).isEqualTo(in.byteSize());
        assertThat(rig.values(out)).containsExactly(1);
        rig.write(out, 9);
        assertThat(launch(copy.writes(0), out, in).moves().bytesCopied()).isZero();
        rig.write(out, 9);
        assertThat(launch(copy, out, in).moves().bytesCopied()).isEqualTo(out.byteSize());
    }

    @Test
    void whatIsSaidOfOneKernelLeavesTheOtherAsItWas() {
        Kernel said = copy.reads("in");
        assertThat(said).isNotSameAs(copy);
        assertThat(said.name()).isEqualTo("copy_freely");
        assertThat(fetchedToRefill(copy)).isEqualTo(PAGES);
        assertThat(fetchedToRefill(said)).isZero();
    }

    @Test
    void readAndWrittenIsBoth() {
        assertThat(launch(copy.reads("out").writes("out"), out, in).moves().bytesCopied()).isEqualTo(out.byteSize() + in.byteSize());
        rig.write(out, 9);
        assertThat(launch(copy.writes("out", "in").reads("out", "in"), out, in).moves().bytesCopied()).isEqualTo(out.byteSize());
        assertThat(rig.values(out)).containsExactly(1);
    }

    @Test
    void anArgumentGoesBeforeWhatWasSaid() {
        launch(copy.writes("in").reads("out"), Arg.out(out), Arg.in(in));
        assertThat(rig.values(out)).containsExactly(1);
        assertThat(rig.values(in)).containsExactly(1);
    }

    @Test
    void refusesWhatTheKernelHasNot() {
        assertThatIllegalArgumentException().isThrownBy(() -> copy.reads("input"))
                .withMessageContaining("kernel=copy_freely").withMessageContaining("input").withMessageContaining("[int* out, int* in, int n]");
        assertThatIllegalArgumentException().isThrownBy(() -> copy.writes(3)).withMessageContaining("parameter 3");
        assertThatIllegalArgumentException().isThrownBy(() -> copy.writes(-1)).withMessageContaining("parameter -1");
        assertThatIllegalArgumentException().isThrownBy(() -> copy.reads("n")).withMessageContaining("no memory for parameter 2");
        assertThatIllegalArgumentException().isThrownBy(() -> rig.kernel("copy").writes("in"))
                .withMessageContaining("kernel=copy").withMessageContaining("does not write parameter 1");
    }
}
