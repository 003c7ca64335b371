package io.github.hmm4j.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class StreamsAheadTest {

    private final AheadPolicy.Watch watch = new StreamsAhead(40).watch();

    @Test
    void rowsBringAsMuchAsWasMissedAndTwiceAsMuchWhenTheyGoOn() {
        assertThat(watch.pagesBehind(100, 108)).isEqualTo(8);
        watch.endRound();
        assertThat(watch.pagesBehind(116, 117)).isEqualTo(16);
        watch.endRound();
        assertThat(watch.pagesBehind(133, 134)).isEqualTo(32);
        watch.endRound();
        assertThat(watch.pagesBehind(166, 170)).isEqualTo(40);
        watch.endRound();
        assertThat(watch.pagesBehind(210, 211)).isEqualTo(40);
    }

    @Test
    void severalRowsGoOnBesideEachOther() {
        assertThat(watch.pagesBehind(0, 4)).isEqualTo(4);
        assertThat(watch.pagesBehind(50, 56)).isEqualTo(6);
        watch.endRound();
        assertThat(watch.pagesBehind(8, 9)).isEqualTo(8);
        assertThat(watch.pagesBehind(62, 63)).isEqualTo(12);
    }

    @Test
    void pagesHereAndThereBringNothing() {
        for (long page = 3; page < 1000; page += 7) {
            assertThat(watch.pagesBehind(page, page + 3)).isZero();
            watch.endRound();
        }
    }

    @Test
    void aRowThatPausesBeginsAnew() {
        assertThat(watch.pagesBehind(0, 4)).isEqualTo(4);
        watch.endRound();
        watch.endRound();
        assertThat(watch.pagesBehind(8, 9)).isZero();
    }

    @Test
    void refusesLessThanNothing() {
        assertThatThrownBy(() -> new StreamsAhead(-1)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("mostPages=-1");
        assertThat(new StreamsAhead(0).watch().pagesBehind(0, 100)).isZero();
    }
}
