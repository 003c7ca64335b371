package io.github.hmm4j.demos.graph;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

class JdkClassGraphTest {
    @Test
    void isTheSameEachTime() throws IOException {
        NamedGraph first = JdkClassGraph.extract();
        NamedGraph second = JdkClassGraph.extract();
        assertThat(first.graph().vertexCount()).isGreaterThan(5_000).isEqualTo(second.graph().vertexCount());
        assertThat(first.graph().edgeCount()).isGreaterThan(first.graph().vertexCount());
        assertThat(MemorySegment.mismatch(first.graph().columns(), 0, first.graph().columns().byteSize(),
            second.graph().columns(), 0, second.graph().columns().byteSize())).isEqualTo(-1);
        assertThat(first.title()).startsWith("classes of JDK 25");
    }

    @Test
    void knowsReferencesThatAnybodyCanLookUp() throws IOException {
        NamedGraph named = JdkClassGraph.extract();
        assertThat(hasEdge(named, "java.util.ArrayList", "java.util.AbstractList")).isTrue();
        assertThat(hasEdge(named, "java.util.HashMap", "java.util.HashMap$Node")).isTrue();
        assertThat(hasEdge(named, "java.lang.Object", "java.util.ArrayList")).isFalse();
        assertThat(hasEdge(named, "java.util.ArrayList", "java.util.ArrayList")).isFalse();
    }

    @Test
    void understandsClassNamesAndNumbers() throws IOException {
        VertexNames names = JdkClassGraph.extract().names();
        int string = names.vertex("java.lang.String").orElseThrow();
        assertThat(names.name(string)).isEqualTo("java.lang.String");
        assertThat(names.vertex(Integer.toString(string))).hasValue(string);
        assertThat(names.vertex("no.such.Class")).isEmpty();
        assertThat(names.vertex("-1")).isEmpty();
    }

    @Test
    void takesArraysForTheirElements() {
        assertThat(JdkClassGraph.elementType("java/lang/String")).isEqualTo("java.lang.String");
        assertThat(JdkClassGraph.elementType("[[Ljava/util/Map$Entry;")).isEqualTo("java.util.Map$Entry");
        assertThat(JdkClassGraph.elementType("[[I")).isEqualTo("[[I");
    }

    private static boolean hasEdge(NamedGraph named, String source, String target) {
        CsrGraph graph = named.graph();
        int from = named.names().vertex(source).orElseThrow();
        int to = named.names().vertex(target).orElseThrow();
        for (long edge = graph.rowStart(from); edge < graph.rowEnd(from); edge++) {
            if (graph.target(edge) == to) {
                return true;
            }
        }
        return false;
    }
}
