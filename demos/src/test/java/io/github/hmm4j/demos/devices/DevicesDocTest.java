package io.github.hmm4j.demos.devices;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.demos.harness.DeviceReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class DevicesDocTest {
    @Test
    void thePageExplainsEveryFieldOfTheJson() throws IOException {
        String page = Files.readString(Path.of("docs", "devices.md"));
        List<String> fields = Stream.concat(Stream.of(DeviceReport.class), Arrays.stream(DeviceReport.class.getDeclaredClasses()))
            .filter(Class::isRecord).flatMap(each -> Arrays.stream(each.getRecordComponents()))
            .map(field -> "`" + field.getName() + "`").distinct().toList();
        assertThat(fields).hasSizeGreaterThan(30);
        assertThat(page).contains(fields);
    }
}
