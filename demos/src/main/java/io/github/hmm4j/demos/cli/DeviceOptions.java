package io.github.hmm4j.demos.cli;

import io.github.hmm4j.demos.harness.DeviceChoice;
import io.github.hmm4j.device.opencl.CopyMode;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/// Which device to run on and how much of it to use: the same for every demo and benchmark.
final class DeviceOptions {
    /// What the OpenCL layer reads that emulates a GPU. It is loaded with the OpenCL library, so the script that starts
    /// Java sets this.
    static final String EMULATED_SETTING = "HMM_EMULATED_GPU";

    private static final String EMULATED = "emulated:";

    @Mixin
    private BindingOption binding = new BindingOption();

    @Option(names = "--device", paramLabel = "DEVICE", converter = DeviceConverter.class,
        description = "A number from 'hmm devices', a part of a device's name, or emulated:PROFILE[:OPTION=VALUE,...]"
            + " (a CPU device that plays a discrete GPU: nvidia, rocm, arc, igpu or mali; demos/docs/gpu.md). Default: the"
            + " runtime chooses.")
    private Optional<String> device = Optional.empty();

    @Option(names = "--budget", paramLabel = "SIZE", converter = BudgetConverter.class,
        description = "How much device memory to use at most: 64M, 1.5G, ... Default: the runtime chooses.")
    private Optional<Long> budget = Optional.empty();

    @Option(names = "--page-size", paramLabel = "SIZE", converter = PageSizeConverter.class,
        description = "A power of two from 4K to 2M. Default: 64K.")
    private Optional<Long> pageSize = Optional.empty();

    @Option(names = "--copy", paramLabel = "ENGINE", converter = CopyConverter.class,
        description = "What moves pages: direct (where the device works in host memory), staged or copy. Default: what a"
            + " short test finds best, which may differ between runs on a busy machine.")
    private Optional<String> copy = Optional.empty();

    DeviceChoice choice() {
        return new DeviceChoice(binding.binding(), device, optionalLong(budget), optionalLong(pageSize)).withCopy(copy);
    }

    private static OptionalLong optionalLong(Optional<Long> value) {
        return value.map(OptionalLong::of).orElse(OptionalLong.empty());
    }

    static final class DeviceConverter implements ITypeConverter<String> {
        @Override
        public String convert(String value) {
            String device = value.strip();
            if (device.startsWith(EMULATED)) {
                return emulated(device.substring(EMULATED.length()), System.getenv(EMULATED_SETTING));
            }
            if (device.isEmpty() || device.matches("-\\d+")) {
                throw new TypeConversionException("'" + value + "' is neither a device number nor a part of a name");
            }
            return device;
        }
    }

    /// What the name of the emulated device contains.
    ///
    /// @param loaded what the layer was loaded with; null if it was not
    static String emulated(String setting, @Nullable String loaded) {
        if (!setting.equals(loaded)) {
            throw new TypeConversionException("'" + EMULATED + setting
                + "' is loaded by the script that starts this program, before Java: OPENCL_LAYERS=libhmm-emulated-gpu.so "
                + EMULATED_SETTING + "=" + setting);
        }
        int options = setting.indexOf(':');
        return "emulated " + (options < 0 ? setting : setting.substring(0, options)) + " GPU";
    }

    static final class CopyConverter implements ITypeConverter<String> {
        @Override
        public String convert(String value) {
            try {
                return CopyMode.of(value).toString();
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(e.getMessage());
            }
        }
    }

    static final class BudgetConverter implements ITypeConverter<Long> {
        @Override
        public Long convert(String value) {
            long bytes = Sizes.parse(value);
            if (bytes == 0) {
                throw new TypeConversionException("'" + value + "' is no memory at all");
            }
            return bytes;
        }
    }

    static final class PageSizeConverter implements ITypeConverter<Long> {
        private static final long SMALLEST_BYTES = 4L << 10;
        private static final long LARGEST_BYTES = 2L << 20;

        @Override
        public Long convert(String value) {
            long bytes = Sizes.parse(value);
            if (Long.bitCount(bytes) != 1 || bytes < SMALLEST_BYTES || bytes > LARGEST_BYTES) {
                throw new TypeConversionException("'" + value + "' is not a power of two from 4K to 2M");
            }
            return bytes;
        }
    }
}
