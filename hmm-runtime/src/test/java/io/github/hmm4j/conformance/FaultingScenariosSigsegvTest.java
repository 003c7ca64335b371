package io.github.hmm4j.conformance;

import io.github.hmm4j.pager.HostAccess;
import org.junit.jupiter.api.Timeout;

/// The same where faults are signals.
@Timeout(60)
final class FaultingScenariosSigsegvTest extends FaultingScenariosTest {

    @Override
    HostAccess.Mode mode() {
        return HostAccess.Mode.SIGSEGV;
    }
}
