package io.github.hmm4j.transparent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.error.HostAccessUnavailableException;
import io.github.hmm4j.pager.HostAccess;
import java.util.ArrayDeque;
import java.util.Deque;
import org.junit.jupiter.api.Test;

class ManyHeapsTest {

    private static final int LIMIT = 256;

    @Test
    void oneTooManyIsToldTheLimit() {
        Deque<Hmm> heaps = new ArrayDeque<>();
        try {
            assertThatThrownBy(() -> {
                while (heaps.size() <= LIMIT) {
                    heaps.add(open(HostAccess.Mode.SIGSEGV));
                }
            }).isInstanceOf(HostAccessUnavailableException.class)
                    .hasMessageStartingWith(LIMIT + " heaps ");
            assertThatThrownBy(() -> open(HostAccess.Mode.CHECKED)).isInstanceOf(HostAccessUnavailableException.class);
            heaps.remove().close();
            heaps.add(open(HostAccess.Mode.SIGSEGV));
        } finally {
            heaps.forEach(Hmm::close);
        }
        assertThat(heaps).isNotEmpty();
    }

    private static Hmm open(HostAccess.Mode mode) {
        return Hmm.builder().heap(ByteSize.mib(1)).hostOnly().hostAccess(mode).open();
    }
}
