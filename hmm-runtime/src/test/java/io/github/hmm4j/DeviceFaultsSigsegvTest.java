package io.github.hmm4j;

import io.github.hmm4j.pager.HostAccess;
import org.junit.jupiter.api.Timeout;

/// The same where faults are signals.
@Timeout(60)
final class DeviceFaultsSigsegvTest extends DeviceFaultsTest {

    @Override
    HostAccess.Mode mode() {
        return HostAccess.Mode.SIGSEGV;
    }
}
