package io.github.hmm4j;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/// The BOM has no parent, so that it hands on nothing but what it names; what it repeats of the root's pom is the same
/// there.
class BomTest {

    private final String root = Files.readString(Path.of("../pom.xml"));
    private final String bom = Files.readString(Path.of("../bom/pom.xml"));

    BomTest() throws IOException {}

    @Test
    void namesTheVersionsOfThisBuild() {
        for (String element : new String[] {"version", "jocl.version"}) {
            assertThat(first(element, bom)).as(element).isEqualTo(first(element, root));
        }
    }

    @Test
    void handsOnNothingElse() {
        assertThat(bom).doesNotContain("<parent>", "<dependencies>\n    <dependency>", "<scope>import</scope>");
        Matcher artifacts = Pattern.compile("<dependency>\\s*<groupId>(.*)</groupId>\\s*<artifactId>(.*)</artifactId>")
                .matcher(bom);
        assertThat(artifacts.results().map(found -> found.group(1) + ":" + found.group(2)).toList())
                .containsExactly("io.github.hmm4j:hmm-runtime", "io.github.hmm4j:opencl-kernels", "org.jocl:jocl");
    }

    private static String first(String element, String pom) {
        Matcher text = Pattern.compile("<" + element + ">(.*)</" + element + ">").matcher(pom);
        assertThat(text.find()).as(element).isTrue();
        return text.group(1);
    }
}
