package io.github.hmm4j;

import io.github.hmm4j.pager.HostAccess;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;

/// The same where faults are signals.
@Tag("two-devices")
@Timeout(60)
final class TwoFaultingDevicesSigsegvTest extends TwoFaultingDevicesTest {

    @Override
    HostAccess.Mode mode() {
        return HostAccess.Mode.SIGSEGV;
    }
}
