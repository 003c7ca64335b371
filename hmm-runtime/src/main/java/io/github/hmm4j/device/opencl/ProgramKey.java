package io.github.hmm4j.device.opencl;

import io.github.hmm4j.kernels.Source;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/// What a compiled program depends on, as the name of a file.
final class ProgramKey {

    /// Options that make a compiler read more than the source.
    private static final List<String> READING = List.of("-include", "-imacros", "@");

    private static final List<String> TIMES = List.of("__DATE__", "__TIME__", "__TIMESTAMP__");

    private ProgramKey() {}

    /// Whether the same source and options will always be the same program: the key does not know headers that the
    /// compiler finds by itself, nor the time.
    static boolean isLasting(Source source, String options) {
        return !source.leavesIncludes()
                && TIMES.stream().noneMatch(source.text()::contains)
                && Stream.of(options.split("\\s+")).noneMatch(word -> READING.stream().anyMatch(word::startsWith));
    }

    /// A SHA-256 of device, driver, platform, options and source.
    static String of(ClDevice device, Source source, String options) {
        ClApi api = device.api();
        long platform = api.deviceNumber(device.handle(), Cl.DEVICE_PLATFORM);
        MessageDigest digest = StoredProgram.sha256();
        Stream.of(
                        api.platformText(platform, Cl.PLATFORM_NAME),
                        api.platformText(platform, Cl.PLATFORM_VERSION),
                        api.deviceText(device.handle(), Cl.DEVICE_NAME),
                        api.deviceText(device.handle(), Cl.DEVICE_VENDOR),
                        api.deviceText(device.handle(), Cl.DEVICE_VERSION),
                        api.deviceText(device.handle(), Cl.DRIVER_VERSION),
                        options,
                        source.text())
                .map(text -> text.getBytes(StandardCharsets.UTF_8))
                .forEach(bytes -> {
                    // so that two texts are not another two
                    digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).array());
                    digest.update(bytes);
                });
        return HexFormat.of().formatHex(digest.digest());
    }
}
