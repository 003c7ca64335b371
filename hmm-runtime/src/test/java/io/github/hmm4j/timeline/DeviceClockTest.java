package io.github.hmm4j.timeline;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class DeviceClockTest {

    private final DeviceClock clock = new DeviceClock();

    @Test
    void oneCommandBoundsTheOffset() {
        clock.saw(1000, 50, 1010, 70, 2000); // queued at 50 is within 1000 to 1010
        assertThat(clock.toHost(50)).isBetween(1000L, 1010L);
        assertThat(clock.errorNanos()).isEqualTo(5);
    }

    @Test
    void anEndThatIsSeenBoundsItToo() {
        clock.saw(1000, 50, 2000, 90, 1044);
        assertThat(clock.toHost(90)).isLessThanOrEqualTo(1044);
        assertThat(clock.toHost(50)).isGreaterThanOrEqualTo(1000);
    }

    @Test
    void whatWasConvertedStaysWhereNewBoundsAllowIt() {
        clock.saw(1000, 0, 1010, 1, 5000);
        long before = clock.toHost(0);
        clock.saw(2004, 1000, 2100, 1001, 5000);
        assertThat(clock.toHost(0)).isEqualTo(before);
        assertThat(clock.errorNanos()).isLessThanOrEqualTo(5);
    }

    /// Clocks that run apart by 100 parts in a million.
    @Test
    void keepsTheOrderOfEventsWhileClocksDrift() {
        Random random = new Random(7);
        long host = 1_000_000_000L;
        for (int i = 0; i < 10_000; i++) {
            long before = host;
            long queuedHost = before + random.nextInt(3_000);
            long after = queuedHost + random.nextInt(3_000);
            long endHost = queuedHost + 1_000 + random.nextInt(50_000);
            long seen = Math.max(after, endHost) + random.nextInt(20_000);
            clock.saw(before, stamp(queuedHost), after, stamp(endHost), seen);
            assertThat(clock.toHost(stamp(queuedHost))).as("queued, round %d", i).isBetween(before, after);
            assertThat(clock.toHost(stamp(endHost))).as("end, round %d", i).isLessThanOrEqualTo(seen);
            host = seen + random.nextInt(100_000);
        }
    }

    private static long stamp(long host) {
        return 77_000_000_000L + host + host / 10_000;
    }
}
