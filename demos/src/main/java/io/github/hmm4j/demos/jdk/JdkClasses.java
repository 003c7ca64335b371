package io.github.hmm4j.demos.jdk;

import java.io.IOException;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/// The class files of the running JDK, found in its `jrt:/` file system; a linked image has those of its own modules.
public final class JdkClasses {
    private static final String SUFFIX = ".class";

    private JdkClasses() {}

    /// One class file.
    ///
    /// @param name the binary name with dots: `java.util.Map$Entry`
    public record ClassFileRef(String name, Path path) {}

    /// All classes and interfaces of all modules, sorted by name; module and package descriptors are not among them.
    public static List<ClassFileRef> list() throws IOException {
        FileSystem jrt = FileSystems.getFileSystem(URI.create("jrt:/"));
        try (Stream<Path> files = Files.walk(jrt.getPath("/modules"))) {
            return files.filter(JdkClasses::isClass)
                .map(path -> new ClassFileRef(className(path), path))
                .sorted(Comparator.comparing(ClassFileRef::name))
                .toList();
        }
    }

    /// How the running JDK is called: `JDK 25.0.3+9`.
    public static String title() {
        return "JDK " + Runtime.version();
    }

    private static boolean isClass(Path path) {
        String name = String.valueOf(path.getFileName());
        return name.endsWith(SUFFIX) && !name.equals("module-info.class") && !name.equals("package-info.class");
    }

    /// `/modules/java.base/java/util/Map$Entry.class` is `java.util.Map$Entry`.
    private static String className(Path path) {
        String inModule = path.subpath(2, path.getNameCount()).toString();
        return inModule.substring(0, inModule.length() - SUFFIX.length()).replace('/', '.');
    }
}
