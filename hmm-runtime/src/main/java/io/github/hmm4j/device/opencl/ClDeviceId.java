package io.github.hmm4j.device.opencl;

import io.github.hmm4j.device.DeviceInfo;

/// A device that can be opened: its handles and what it says of itself.
///
/// @param platform `cl_platform_id`
/// @param device   `cl_device_id`
/// @param hardware which piece of hardware it is
public record ClDeviceId(long platform, long device, String platformName, ClHardware hardware, DeviceInfo info) {

    /// Whether both are the same hardware, shown by two drivers.
    public boolean isTwinOf(ClDeviceId other) {
        return platform != other.platform && hardware.isSame(other.hardware);
    }
}
