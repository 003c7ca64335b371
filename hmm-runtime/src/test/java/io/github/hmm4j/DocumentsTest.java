package io.github.hmm4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.hmm4j.pager.Ladder;
import io.github.hmm4j.transparent.ChildJvm;
import java.io.File;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// What the documents show is what happens: each `java` block with a `main` is a program, which is compiled and run, and
/// the `text` block behind it, if there is one, is what it prints. A `c` block that begins with `// NAME.cl` or
/// `// NAME.h` is a file on the class path of the programs behind it. Links lead somewhere.
class DocumentsTest {

    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final Pattern BLOCK = Pattern.compile("(?m)^```(java|c|text)\\n(.*?)^```$", Pattern.DOTALL);
    private static final Pattern KERNEL_FILE = Pattern.compile("// (\\w+\\.(?:cl|h)).*", Pattern.DOTALL);
    private static final Pattern LINK = Pattern.compile("\\]\\(([^)\\s]+)\\)");

    private static final Pattern HEADING = Pattern.compile("(?m)^### .*$");
    private static final Pattern CODE = Pattern.compile("`([^`]+)`");
    private static final List<String> OF_OTHERS = List.of("unsafe memory access", "WARNING: A restricted", "SIGSEGV", "WrongThreadException", "EFAULT", "Bad address", "libjsig.so");

    @TempDir
    private Path folder;

    private record Example(Path document, int number, String program, List<String> kernels, String output) {
        @Override
        public String toString() {
            return ROOT.relativize(document) + " " + number;
        }
    }

    @Tag("elsewhere")
    @ParameterizedTest
    @MethodSource("examples")
    void programsDoWhatTheirDocumentsSay(Example example) throws IOException {
        assumeTrue(Ladder.best().mode().isTransparent(), Ladder.best().why());
        Path source = Files.writeString(folder.resolve("Example.java"), example.program());
        for (String kernel : example.kernels()) {
            Matcher name = KERNEL_FILE.matcher(kernel);
            assertThat(name.matches()).isTrue();
            Files.writeString(folder.resolve(name.group(1)), kernel);
        }
        String classPath = folder + File.pathSeparator + System.getProperty("java.class.path");
        StringWriter messages = new StringWriter();
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        try (var files = compiler.getStandardFileManager(null, null, null)) {
            boolean compiled = compiler.getTask(messages, files, null, List.of("-d", folder.toString(), "-cp", classPath, "-proc:none"), null,
                    files.getJavaFileObjects(source)).call();
            assertThat(compiled).as(messages.toString()).isTrue();
        }
        ChildJvm.Result result = ChildJvm.run(Duration.ofMinutes(1), List.of("-cp", classPath, "-Dorg.lwjgl.system.memoryBackend=ffm"), "Example");
        assertThat(result.status()).as(result.output()).isZero();
        if (!example.output().isEmpty()) {
            assertThat(result.output()).isEqualTo(example.output());
        }
    }

    static List<Example> examples() throws IOException {
        List<Example> examples = new ArrayList<>();
        for (Path document : documents()) {
            List<String> kernels = new ArrayList<>();
            int before = examples.size();
            List<MatchResult> blocks = BLOCK.matcher(Files.readString(document)).results().toList();
            for (int i = 0; i < blocks.size(); i++) {
                String text = blocks.get(i).group(2);
                if (blocks.get(i).group(1).equals("c") && KERNEL_FILE.matcher(text).matches()) {
                    kernels.add(text);
                } else if (blocks.get(i).group(1).equals("java") && text.contains("void main()")) {
                    boolean shown = i + 1 < blocks.size() && blocks.get(i + 1).group(1).equals("text");
                    examples.add(new Example(document, examples.size() - before + 1, text, List.copyOf(kernels), shown ? blocks.get(i + 1).group(2) : ""));
                }
            }
        }
        return examples;
    }

    @Test
    void theReadmeAndTheTutorialHavePrograms() throws IOException {
        assertThat(examples()).map(example -> example.document().getFileName().toString()).contains("README.md", "tutorial.md", "coming-from.md", "paging.md");
    }

    @Test
    void linksLeadSomewhere() throws IOException {
        for (Path document : documents()) {
            for (MatchResult link : LINK.matcher(Files.readString(document)).results().toList()) {
                String target = link.group(1).replaceFirst("#.*", "");
                if (!target.isEmpty() && !target.contains("://")) {
                    assertThat(document.resolveSibling(target).normalize()).as("a link of " + document).exists();
                }
            }
        }
    }

    /// A heading of code is the text of a message of ours, with `...` for what differs; or one of Java's or the system's.
    @Test
    void messagesInTroubleshootingAreThoseOfTheCode() throws IOException {
        StringBuilder code = new StringBuilder();
        for (String part : List.of("hmm-runtime/src/main", "opencl-kernels/src/main", "demos/hmm")) {
            try (Stream<Path> files = Files.walk(ROOT.resolve(part))) {
                for (Path file : files.filter(Files::isRegularFile).toList()) {
                    code.append(Files.readString(file));
                }
            }
        }
        String shown = Files.readString(ROOT.resolve("hmm-runtime/docs/troubleshooting.md"));
        List<String> messages = HEADING.matcher(shown).results().flatMap(heading -> CODE.matcher(heading.group()).results()).map(found -> found.group(1)).toList();
        assertThat(messages).hasSizeGreaterThan(20);
        for (String message : messages) {
            String text = message.replaceFirst("^\\w+(Exception|Error): ", "");
            if (OF_OTHERS.stream().noneMatch(text::contains)) {
                assertThat(code).as(message).contains(Stream.of(text.split("\\.\\.\\.|status=\\S+")).map(String::strip).filter(piece -> piece.length() > 3).toList());
            }
        }
    }

    @Test
    void everyExceptionOfOursIsInTroubleshooting() throws IOException {
        String shown = Files.readString(ROOT.resolve("hmm-runtime/docs/troubleshooting.md"));
        try (Stream<Path> files = Files.list(ROOT.resolve("hmm-runtime/src/main/java/io/github/hmm4j/error"))) {
            List<String> names = files.map(file -> file.getFileName().toString().replace(".java", ""))
                    .filter(name -> name.endsWith("Exception") || name.endsWith("Error")).toList();
            assertThat(names).hasSizeGreaterThan(10).allSatisfy(name -> assertThat(shown).contains("`" + name));
        }
    }

    private static List<Path> documents() throws IOException {
        try (Stream<Path> top = Files.list(ROOT); Stream<Path> docs = Files.list(ROOT.resolve("hmm-runtime/docs")); Stream<Path> demos = Files.list(ROOT.resolve("demos/docs"))) {
            return Stream.of(top, docs, demos).flatMap(files -> files).filter(file -> file.toString().endsWith(".md")).sorted().toList();
        }
    }
}
