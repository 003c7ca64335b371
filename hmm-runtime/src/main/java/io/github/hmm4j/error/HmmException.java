package io.github.hmm4j.error;

import org.jspecify.annotations.Nullable;

/// Something outside the program failed: a device, the driver, the operating system, or a limit.
///
/// Unless a subclass says otherwise, **no data is lost**: what was moved for the call that failed is back, and what was evicted for it is on the host.
public abstract sealed class HmmException extends RuntimeException
        permits AccessViolationException,
                DeviceLostException,
                DeviceMemoryExhaustedException,
                HostAccessUnavailableException,
                HostMemoryExhaustedException,
                InPlaceUnavailableException,
                KernelBuildException,
                LaunchBlockedException,
                NoDeviceException,
                OpenClFailedException,
                PagePoisonedException,
                PrecedingLaunchFailedException,
                QuotaExceededException,
                RunawayKernelException,
                SystemCallFailedException {

    private static final long serialVersionUID = 1L;

    HmmException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
