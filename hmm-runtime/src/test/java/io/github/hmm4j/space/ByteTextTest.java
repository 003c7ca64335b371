package io.github.hmm4j.space;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ByteTextTest {

    @ParameterizedTest
    @CsvSource({
        "0, 0 B", "1, 1 B", "1023, 1023 B", "1024, 1 KiB", "4096, 4 KiB", "5000, 4.9 KiB", "65536, 64 KiB",
        "1048524, 1023.9 KiB", "1048575, 1.0 MiB", "1048576, 1 MiB", "4325376, 4.1 MiB", "16777216, 16 MiB", "1610612736, 1.5 GiB",
        "1099511627776, 1 TiB", "9223372036854775807, 8.0 EiB"
    })
    void aCountHasTheUnitThatFits(long bytes, String text) {
        assertThat(ByteText.of(bytes)).isEqualTo(text);
    }
}
