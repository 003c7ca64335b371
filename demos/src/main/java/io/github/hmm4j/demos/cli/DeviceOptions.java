package io.github.hmm4j.demos.cli;

import io.github.hmm4j.demos.harness.DeviceChoice;
import java.util.Optional;
import java.util.OptionalLong;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/// Which device to run on and how much of it to use: the same for every demo and benchmark.
final class DeviceOptions {
    @Mixin
    private BindingOption binding = new BindingOption();

    @Option(names = "--device", paramLabel = "DEVICE", converter = DeviceConverter.class,
        description = "A number from 'hmm devices', a part of a device's name, or sim (the simulated device, which"
            + " needs no OpenCL). Default: the runtime chooses.")
    private Optional<String> device = Optional.empty();

    @Option(names = "--budget", paramLabel = "SIZE", converter = BudgetConverter.class,
        description = "How much device memory to use at most: 64M, 1.5G, ... Default: the runtime chooses.")
    private Optional<Long> budget = Optional.empty();

    @Option(names = "--page-size", paramLabel = "SIZE", converter = PageSizeConverter.class,
        description = "A power of two from 4K to 2M. Default: 64K.")
    private Optional<Long> pageSize = Optional.empty();

    DeviceChoice choice() {
        return new DeviceChoice(binding.binding(), device, optionalLong(budget), optionalLong(pageSize));
    }

    private static OptionalLong optionalLong(Optional<Long> value) {
        return value.map(OptionalLong::of).orElse(OptionalLong.empty());
    }

    static final class DeviceConverter implements ITypeConverter<String> {
        @Override
        public String convert(String value) {
            String device = value.strip();
            if (device.isEmpty() || device.matches("-\\d+")) {
                throw new TypeConversionException("'" + value + "' is neither a device number nor a part of a name");
            }
            return device;
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
