package io.github.hmm4j.demos.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class TableTest {
    @Test
    void alignsNumbersRightAndTextLeft() {
        Table table = new Table("name", "time", "n").row("a", "1.25 ms", 7)
            .row("longer", "12.5 ms", 12345).row("", "", "-");
        assertThat(table).hasToString("""
            name       time      n
            ------  -------  -----
            a       1.25 ms      7
            longer  12.5 ms  12345
                                 -
            """);
    }

    @Test
    void leavesNoBlanksAtTheEndOfALine() {
        assertThat(new Table("a", "b").row("x", "y").row("z", "").toString()).isEqualTo("a  b\n-  -\nx  y\nz\n");
    }

    @Test
    void countsCharactersNotChars() {
        assertThat(new Table("t", "u").row("\ud835\udc00\ud835\udc00", "x").toString())
            .isEqualTo("t   u\n--  -\n\ud835\udc00\ud835\udc00  x\n");
    }

    @Test
    void showsOnlyTitlesWithoutRows() {
        assertThat(new Table("a", "bc")).hasToString("a  bc\n-  --\n");
    }

    @Test
    void refusesRowsOfAnotherLength() {
        assertThatThrownBy(() -> new Table("a").row(1, 2)).hasMessage("cells=2, titles=1");
    }

    @Test
    void formatsUnits() {
        assertThat(Units.bytes(0)).isEqualTo("0 B");
        assertThat(Units.bytes(1023)).isEqualTo("1023 B");
        assertThat(Units.bytes(1024)).isEqualTo("1.00 KiB");
        assertThat(Units.bytes(3L << 29)).isEqualTo("1.50 GiB");
        assertThat(Units.bytes(Long.MAX_VALUE)).isEqualTo("8.00 EiB");
        assertThat(Units.nanos(999)).isEqualTo("999 ns");
        assertThat(Units.nanos(12_345)).isEqualTo("12.3 us");
        assertThat(Units.nanos(4_560_000)).isEqualTo("4.56 ms");
        assertThat(Units.nanos(1_230_000_000)).isEqualTo("1.23 s");
        assertThat(Units.decimal(0)).isEqualTo("0");
        assertThat(Units.decimal(-1234.4)).isEqualTo("-1234");
        assertThat(Units.decimal(0.00123)).isEqualTo("0.00123");
        assertThat(Units.decimal(123_456_789)).isEqualTo("1.23e+08");
        assertThat(Units.decimal(Double.NaN)).isEqualTo("NaN");
        assertThat(Units.count(266_052)).isEqualTo("266,052");
    }
}
