package io.github.hmm4j.demos.svm.measure;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;

class ScheduleTest {
    @Test
    void numbersAreWrittenAlikeInAllCountries() {
        Locale before = Locale.getDefault();
        Locale.setDefault(Locale.GERMANY);
        try {
            assertThat(Schedule.quick(List.of(4096L)).inWords()).hasEntrySatisfying("repetitions", words -> assertThat(words).endsWith("or 2.5 s have passed"));
            assertThat(Machine.facts()).hasEntrySatisfying("memory", words -> assertThat(words).matches("\\d+\\.\\d GiB"));
        } finally {
            Locale.setDefault(before);
        }
    }
}
