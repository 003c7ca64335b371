package io.github.hmm4j.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

class BuildOptionsTest {

    @Test
    void theVersionIsAddedUnlessThereIsOne() {
        assertThat(BuildOptions.withVersion("")).isEqualTo("-cl-std=CL1.2");
        assertThat(BuildOptions.withVersion("-DN=4 -I include")).isEqualTo("-cl-std=CL1.2 -DN=4 -I include");
        assertThat(BuildOptions.withVersion(" -cl-fast-relaxed-math  -cl-std=CL3.0"))
                .isEqualTo(" -cl-fast-relaxed-math  -cl-std=CL3.0");
        assertThat(BuildOptions.withVersion("-DX=-cl-std=CL3.0")).isEqualTo("-cl-std=CL1.2 -DX=-cl-std=CL3.0");
        assertThatIllegalArgumentException().isThrownBy(() -> BuildOptions.withVersion("-DX\0"))
                .withMessageContaining("NUL at index=3");
    }

    @Test
    void smallerGroupsTakeAVersionFromTwoOn() {
        assertThat(BuildOptions.allowSmallerGroups("-DN=4")).isFalse();
        assertThat(BuildOptions.allowSmallerGroups("-cl-std=CL1.2")).isFalse();
        assertThat(BuildOptions.allowSmallerGroups("-cl-std=CL2.0")).isTrue();
        assertThat(BuildOptions.allowSmallerGroups("-cl-std=CL3.0 -w")).isTrue();
        assertThat(BuildOptions.allowSmallerGroups("-cl-std=CL3.0 -cl-uniform-work-group-size")).isFalse();
        assertThat(BuildOptions.allowSmallerGroups("-cl-std=CL3.0 -cl-std=CL1.2")).isFalse();
    }
}
