package io.github.hmm4j.demos.graph;

import io.github.hmm4j.demos.jdk.JdkClasses;
import io.github.hmm4j.demos.jdk.JdkClasses.ClassFileRef;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.constantpool.ClassEntry;
import java.lang.classfile.constantpool.ConstantPool;
import java.lang.classfile.constantpool.PoolEntry;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/// The class-reference graph of the running JDK: an edge for every other class that a class names in its constant pool.
///
/// Vertices are the classes of all modules in the order of their names, and the successors of each are in ascending
/// order without duplicates, so the same JDK always gives the same graph. An array type stands for its element type.
/// Names that only occur inside descriptors and signatures are no class references and make no edge.
public final class JdkClassGraph {
    private JdkClassGraph() {}

    /// Reads every class file once, in parallel.
    public static NamedGraph extract() throws IOException {
        List<ClassFileRef> classes = JdkClasses.list();
        Map<String, Integer> vertices = HashMap.newHashMap(classes.size());
        List<String> names = new ArrayList<>(classes.size());
        for (ClassFileRef each : classes) {
            vertices.put(each.name(), names.size());
            names.add(each.name());
        }
        int[][] successors;
        try {
            successors = IntStream.range(0, classes.size()).parallel()
                .mapToObj(v -> successors(classes.get(v), v, vertices))
                .toArray(int[][]::new);
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        EdgeList edges = new EdgeList();
        for (int v = 0; v < successors.length; v++) {
            for (int target : successors[v]) {
                edges.add(v, target);
            }
        }
        CsrGraph graph = CsrGraph.of(names.size(), edges);
        VertexNames classNames = new ClassNames(names, vertices);
        int source = classNames.vertex("java.lang.Object").orElseThrow();
        return new NamedGraph("classes of " + JdkClasses.title(), graph, classNames, source, List.of());
    }

    private static int[] successors(ClassFileRef classFile, int self, Map<String, Integer> vertices) {
        ConstantPool pool;
        try {
            pool = ClassFile.of().parse(Files.readAllBytes(classFile.path())).constantPool();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        IntStream.Builder targets = IntStream.builder();
        for (PoolEntry entry : pool) {
            if (entry instanceof ClassEntry reference) {
                Integer target = vertices.get(elementType(reference.asInternalName()));
                if (target != null && target != self) {
                    targets.add(target);
                }
            }
        }
        return targets.build().sorted().distinct().toArray();
    }

    /// `java/lang/String` and `[[Ljava/lang/String;` are both `java.lang.String`; `[[I` stays what it is, no class.
    static String elementType(String internalName) {
        String type = internalName;
        if (type.startsWith("[")) {
            int element = type.lastIndexOf('[') + 1;
            if (type.charAt(element) == 'L') {
                type = type.substring(element + 1, type.length() - 1);
            }
        }
        return type.replace('/', '.');
    }
}
