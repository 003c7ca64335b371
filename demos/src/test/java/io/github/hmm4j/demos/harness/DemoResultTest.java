package io.github.hmm4j.demos.harness;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.demos.report.Json;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class DemoResultTest {
    @Test
    void isOneFlatJsonObject() {
        Map<String, Object> counts = new LinkedHashMap<>();
        counts.put("reached", 3);
        counts.put("of", 4);
        DemoResult result = new DemoResult("bfs", true, "cpu", "lwjgl", "checked",
            Optional.of(new TwinResult(2_500_000, 3_000_000, 10, 20, 0, 0, 0, 40)),
            Optional.of(new TwinResult(1_500_000, 2_000_000, 11, 21, 4, 2, 5, 12)), counts, Optional.empty());
        assertThat(Json.line(result.toJson())).isEqualTo("{\"name\": \"bfs\", \"ok\": true, \"device\": \"cpu\", "
            + "\"binding\": \"lwjgl\", \"hostAccess\": \"checked\", \"timeMs\": 1.5, \"bytesToDevice\": 11, "
            + "\"bytesToHost\": 21, \"reached\": 3, \"of\": 4, "
            + "\"explicit\": {\"timeMs\": 2.5, \"firstMs\": 3.0, \"bytesToDevice\": 10, \"bytesToHost\": 20, "
            + "\"pages\": 0, \"views\": 0, \"faults\": 0, "
            + "\"linesOfCode\": 40}, "
            + "\"managed\": {\"timeMs\": 1.5, \"firstMs\": 2.0, \"bytesToDevice\": 11, \"bytesToHost\": 21, "
            + "\"pages\": 4, \"views\": 2, \"faults\": 5, "
            + "\"linesOfCode\": 12}}");
    }

    @Test
    void aFailureSaysWhy() {
        DeviceChoice choice = new DeviceChoice(Binding.JOCL, Optional.of("Tesla"), OptionalLong.empty(),
            OptionalLong.empty());
        assertThat(DemoResult.failed("tree", choice, "no \"luck\"").toJson()).containsEntry("ok", false)
            .containsEntry("device", "Tesla").containsEntry("binding", "jocl").containsEntry("timeMs", null).containsEntry("error", "no \"luck\"");
    }

    @Test
    void aBenchRowIsAJsonObjectToo() {
        BenchRow row = new BenchRow("pages.plan", 2.5e7, "pages/s", Optional.empty(), "none", "none", "none",
            Map.of("pages", 1_000_000L), Optional.of(BenchRow.Target.atLeast(2.5e7, 2e7)), Optional.empty(), Map.of("jdk", "25"));
        assertThat(Json.line(row)).isEqualTo("{\"name\": \"pages.plan\", \"value\": 2.5E7, \"unit\": \"pages/s\", "
            + "\"ratio\": null, \"baseline\": \"none\", \"device\": \"none\", \"binding\": \"none\", "
            + "\"sizes\": {\"pages\": 1000000}, \"target\": {\"bound\": \">= 2.00e+07\", \"met\": true}, "
            + "\"spread\": null, \"environment\": {\"jdk\": \"25\"}}");
    }
}
