package io.github.hmm4j.device.opencl;

import io.github.hmm4j.device.DeviceInfo;

/// A device that can be opened: its handles and what it says of itself.
///
/// @param platform `cl_platform_id`
/// @param device   `cl_device_id`
public record ClDeviceId(long platform, long device, String platformName, DeviceInfo info) {}
