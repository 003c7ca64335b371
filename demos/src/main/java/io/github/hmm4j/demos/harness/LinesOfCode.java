package io.github.hmm4j.demos.harness;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/// Counts the lines of code of a program from its source, which the build packs beside its class.
///
/// Counted is every line with something else than blanks and comments on it, except `package` and `import` lines; a
/// lone brace counts. The build packs `*Explicit.java`, `*Managed.java` and `*Checked.java` only.
public final class LinesOfCode {
    private enum In { CODE, LINE_COMMENT, BLOCK_COMMENT, STRING, CHARACTER, TEXT_BLOCK }

    private final String source;
    private final StringBuilder code = new StringBuilder();
    private In in = In.CODE;

    private LinesOfCode(String source) {
        this.source = source;
    }

    /// Counts the whole source file of a top-level class, and those of the classes that it extends.
    ///
    /// @throws IllegalArgumentException if its source is not packed
    public static int of(Class<?> program) {
        String resource = program.getSimpleName() + ".java";
        try (InputStream source = program.getResourceAsStream(resource)) {
            if (source == null) {
                throw new IllegalArgumentException("the source is not packed beside the class: class="
                    + program.getName() + ", resource=" + resource);
            }
            int own = count(new String(source.readAllBytes(), StandardCharsets.UTF_8));
            Class<?> parent = program.getSuperclass();
            return parent == null || parent == Object.class ? own : own + of(parent);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static int count(String source) {
        return (int) new LinesOfCode(source).withoutComments().lines()
            .map(String::strip)
            .filter(line -> !line.isEmpty() && !line.startsWith("import ") && !line.startsWith("package "))
            .count();
    }

    /// The source with all comments taken out and all line ends kept.
    private String withoutComments() {
        int at = 0;
        while (at < source.length()) {
            at += switch (in) {
                case CODE -> code(at);
                case LINE_COMMENT -> lineComment(at);
                case BLOCK_COMMENT -> blockComment(at);
                case STRING -> literal(at, "\"");
                case CHARACTER -> literal(at, "'");
                case TEXT_BLOCK -> literal(at, "\"\"\"");
            };
        }
        return code.toString();
    }

    private int code(int at) {
        if (source.startsWith("//", at)) {
            in = In.LINE_COMMENT;
            return 2;
        }
        if (source.startsWith("/*", at)) {
            in = In.BLOCK_COMMENT;
            return 2;
        }
        if (source.startsWith("\"\"\"", at)) {
            in = In.TEXT_BLOCK;
            return keep(at, 3);
        }
        if (source.charAt(at) == '"') {
            in = In.STRING;
        } else if (source.charAt(at) == '\'') {
            in = In.CHARACTER;
        }
        return keep(at, 1);
    }

    private int lineComment(int at) {
        if (source.charAt(at) == '\n') {
            in = In.CODE;
            return keep(at, 1);
        }
        return 1;
    }

    private int blockComment(int at) {
        if (source.startsWith("*/", at)) {
            in = In.CODE;
            return 2;
        }
        return source.charAt(at) == '\n' ? keep(at, 1) : 1;
    }

    private int literal(int at, String end) {
        if (source.charAt(at) == '\\' && at + 1 < source.length()) {
            return keep(at, 2);
        }
        if (source.startsWith(end, at)) {
            in = In.CODE;
            return keep(at, end.length());
        }
        return keep(at, 1);
    }

    private int keep(int at, int length) {
        code.append(source, at, at + length);
        return length;
    }
}
