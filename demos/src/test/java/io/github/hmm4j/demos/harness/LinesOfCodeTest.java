package io.github.hmm4j.demos.harness;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class LinesOfCodeTest {
    /// The "source" of each is a test resource of the same name.
    private static class SampleManaged {}

    private static final class SampleChecked extends SampleManaged {}

    @Test
    void leavesOutBlanksCommentsPackageAndImports() {
        assertThat(LinesOfCode.count("""
            // licence
            package a.b;

            import java.util.List;

            /// Doc.
            /* one */ /* two
              still
            */
            final class A {            // 1
                int x = 1; // note        2
                /* before */ int y;    // 3
                int z; /* after        // 4
                */ int w;              // 5
            }                          // 6
            """)).isEqualTo(6);
    }

    @Test
    void isNotFooledByCommentSignsInLiterals() {
        assertThat(LinesOfCode.count("""
            String a = "/*";
            char b = '"'; char c = '\\'';
            String d = "\\"//"; /* comment */
            String e = \"""
                // in a text "block"
                /*
                \""";
            int f;
            """)).isEqualTo(8);
    }

    @Test
    void countsLinesWithCrLf() {
        assertThat(LinesOfCode.count("int a;\r\n\r\n// c\r\nint b;\r\n")).isEqualTo(2);
        assertThat(LinesOfCode.count("")).isZero();
    }

    @Test
    void readsTheSourceBesideTheClass() {
        assertThat(LinesOfCode.of(SampleManaged.class)).isEqualTo(3);
        assertThat(LinesOfCode.of(SampleChecked.class)).as("with what it extends").isEqualTo(2 + 3);
        assertThatThrownBy(() -> LinesOfCode.of(LinesOfCode.class)).isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("resource=LinesOfCode.java");
    }
}
