package io.github.hmm4j.demos.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class JsonTest {
    private enum Colour { RED }

    private record Inner(int a, List<String> names) {}

    private record Outer(String name, boolean ok, Inner inner, Optional<Double> ratio) {}

    @Test
    void writesRecordsInTheOrderOfTheirComponents() {
        assertThat(Json.line(new Outer("x", true, new Inner(-3, List.of("p", "q")), Optional.of(0.5)))).isEqualTo(
            "{\"name\": \"x\", \"ok\": true, \"inner\": {\"a\": -3, \"names\": [\"p\", \"q\"]}, \"ratio\": 0.5}");
    }

    @Test
    void writesMapsListsAndScalars() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("z", Long.MAX_VALUE);
        map.put("a", 1.0e-9);
        map.put("m", Arrays.asList(1f, null, Colour.RED, new BigInteger("7")));
        map.put("none", null);
        map.put("empty", Optional.empty());
        assertThat(Json.line(map)).isEqualTo(
            "{\"z\": 9223372036854775807, \"a\": 1.0E-9, \"m\": [1.0, null, \"RED\", 7], "
                + "\"none\": null, \"empty\": null}");
        assertThat(Json.line(List.of())).isEqualTo("[]");
        assertThat(Json.line(Map.of())).isEqualTo("{}");
        assertThat(Json.line(null)).isEqualTo("null");
    }

    @Test
    void escapesStrings() {
        assertThat(Json.line("a\"b\\c\n\r\t\b\u0000\u001f\u007f\u00e9\ud835\udc00/")).isEqualTo(
            "\"a\\\"b\\\\c\\n\\r\\t\\u0008\\u0000\\u001f\\u007f\\u00e9\\ud835\\udc00/\"");
        assertThat(Json.line(Map.of("k\"", 1))).isEqualTo("{\"k\\\"\": 1}");
    }

    @Test
    void writesNumbersThatJsonLacksAsNull() {
        assertThat(Json.line(List.of(Double.NaN, Double.NEGATIVE_INFINITY, Float.NaN, Float.POSITIVE_INFINITY)))
            .isEqualTo("[null, null, null, null]");
    }

    @Test
    void writesOneElementALine() {
        assertThat(Json.lines(List.of(1, "b"))).isEqualTo("[\n1,\n\"b\"\n]\n");
        assertThat(Json.lines(List.of())).isEqualTo("[\n]\n");
    }

    @Test
    void refusesOtherTypes() {
        assertThatThrownBy(() -> Json.line(new Object())).hasMessageContaining("class=java.lang.Object");
        assertThatThrownBy(() -> Json.line(new int[0])).isInstanceOf(IllegalArgumentException.class);
    }
}
