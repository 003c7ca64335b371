package io.github.hmm4j.device.opencl;

import io.github.hmm4j.error.HmmException;
import java.util.Locale;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// Keeps the calls of OpenCL 2.0 away from drivers that lack them.
///
/// The loader has these calls for every driver and jumps through a table of the driver's. That of an older driver ends
/// before them or has nothing there, so such a call would end the process: the platform's version is asked first. Where
/// every platform is new enough, which is asked once, that costs nothing.
///
/// Threads: any.
public final class SvmSupport {

    private static final int NEEDED_VERSION = 20;

    private final ClApi api;
    /// Whether all platforms have the calls; null until it was asked. Two threads that ask get the same answer.
    private volatile @Nullable Boolean everywhere;

    public SvmSupport(ClApi api) {
        this.api = api;
    }

    /// Returns if `call` may be made.
    ///
    /// @param inLibrary whether the loader itself has the call
    /// @param device    finds a device of the platform that the call would reach; run only if a platform is too old
    /// @throws io.github.hmm4j.error.OpenClFailedException with `CL_INVALID_OPERATION`, if not
    public void require(String call, boolean inLibrary, LongSupplier device) {
        if (!inLibrary) {
            throw missing(call, "the OpenCL library is older");
        }
        if (everywhere()) {
            return;
        }
        long platform = api.deviceNumber(device.getAsLong(), Cl.DEVICE_PLATFORM);
        if (!has(platform)) {
            throw missing(call, "platform=%s, version=%s".formatted(
                    api.platformText(platform, Cl.PLATFORM_NAME), api.platformText(platform, Cl.PLATFORM_VERSION)));
        }
    }

    /// The address that `clSVMAlloc` returned, which has no status, or the failure that null stands for.
    public static long allocated(long addressBytes, long flags, long lengthBytes, int alignmentBytes) {
        if (addressBytes == 0) {
            throw ClStatus.failure(ClStatus.MEM_OBJECT_ALLOCATION_FAILURE, "clSVMAlloc",
                    String.format(Locale.ROOT, "bytes=%d, alignment=%d, flags=0x%x",
                            lengthBytes, alignmentBytes, flags));
        }
        return addressBytes;
    }

    private boolean everywhere() {
        Boolean known = everywhere;
        if (known == null) {
            known = true;
            for (long platform : api.platforms()) {
                known &= has(platform);
            }
            everywhere = known;
        }
        return known;
    }

    private boolean has(long platform) {
        return ClPlatforms.version(api.platformText(platform, Cl.PLATFORM_VERSION)) >= NEEDED_VERSION;
    }

    private static HmmException missing(String call, String why) {
        return ClStatus.failure(ClStatus.INVALID_OPERATION, call,
                why + "; shared virtual memory needs OpenCL 2.0, so the driver was not called");
    }
}
