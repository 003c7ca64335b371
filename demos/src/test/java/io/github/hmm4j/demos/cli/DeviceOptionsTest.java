package io.github.hmm4j.demos.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import picocli.CommandLine.TypeConversionException;

class DeviceOptionsTest {
    @Test
    void anEmulatedDeviceIsFoundByItsName() {
        assertThat(DeviceOptions.emulated("nvidia", "nvidia")).isEqualTo("emulated nvidia GPU");
        assertThat(DeviceOptions.emulated("rocm:memory=1G,seed=7", "rocm:memory=1G,seed=7")).isEqualTo("emulated rocm GPU");
    }

    @Test
    void anotherLayerThanAskedForIsRefused() {
        assertThatThrownBy(() -> DeviceOptions.emulated("nvidia", null)).isInstanceOf(TypeConversionException.class)
            .hasMessageContaining("HMM_EMULATED_GPU=nvidia");
        assertThatThrownBy(() -> DeviceOptions.emulated("nvidia", "arc")).isInstanceOf(TypeConversionException.class);
    }
}
