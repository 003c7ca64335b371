package io.github.hmm4j;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.account.Cause;
import io.github.hmm4j.account.Counter;
import io.github.hmm4j.account.Direction;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ReportTest {

    @Test
    void subtractsWhatAnEarlierReportHad() {
        var launchedTwice = new Report.Moved(Cause.LAUNCH, Direction.TO_DEVICE, 5, 500);
        var launchedThreeTimes = new Report.Moved(Cause.LAUNCH, Direction.TO_DEVICE, 7, 600);
        var viewed = new Report.Moved(Cause.VIEW, Direction.TO_HOST, 2, 200);
        var fetched = new Report.Moved(Cause.PREFETCH, Direction.TO_DEVICE, 1, 100);
        Report earlier = new Report(List.of(launchedTwice, fetched), Map.of(Counter.LAUNCHES, 2L));
        Report later = new Report(List.of(launchedThreeTimes, fetched, viewed),
                Map.of(Counter.LAUNCHES, 3L, Counter.VIEWS_OPENED, 1L));

        Report since = later.since(earlier);

        assertThat(since.moves()).containsExactly(new Report.Moved(Cause.LAUNCH, Direction.TO_DEVICE, 2, 100), viewed);
        assertThat(since.count(Counter.LAUNCHES)).isEqualTo(1);
        assertThat(since.count(Counter.VIEWS_OPENED)).isEqualTo(1);
        assertThat(since.bytes(Direction.TO_DEVICE)).isEqualTo(100);
        assertThat(since.pages()).isEqualTo(4);
        assertThat(later.since(later).moves()).isEmpty();
    }
}
