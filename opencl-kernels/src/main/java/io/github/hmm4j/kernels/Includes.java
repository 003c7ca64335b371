package io.github.hmm4j.kernels;

import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Puts included headers in place of their `#include "..."` lines, each once, with `#line` around them.
final class Includes {

    private static final Pattern INCLUDE = Pattern.compile("\\s*#\\s*include\\s*\"([^\"]*)\".*");

    private final Function<String, @Nullable String> headers;
    private final Set<String> seen = new HashSet<>();
    private final StringBuilder out = new StringBuilder();

    private Includes(Function<String, @Nullable String> headers) {
        this.headers = headers;
    }

    /// The code with its headers in place; `headers` gives the text of a header by the name in the include, or null.
    static String join(String name, String code, Function<String, @Nullable String> headers) {
        requireOneLine(name);
        var includes = new Includes(headers);
        includes.append(name, code);
        return includes.out.toString();
    }

    private void append(String file, String code) {
        requireNoNul(file, code);
        line(1, file);
        boolean inComment = false;
        List<String> lines = code.lines().toList();
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            Matcher include = INCLUDE.matcher(line);
            if (!inComment && include.matches()) {
                appendHeader(include.group(1), file, i + 1);
                line(i + 2, file);
            } else {
                out.append(line).append('\n');
            }
            inComment = endsInComment(line, inComment);
        }
    }

    /// A compiler takes the program as a C string and would compile what is in front.
    private static void requireNoNul(String file, String code) {
        int at = code.indexOf('\0');
        if (at >= 0) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "a NUL at index=%d of %s, line %d, would end the program there",
                    at, file, code.substring(0, at + 1).lines().count()));
        }
    }

    /// The name becomes part of a `#line` directive, and what comes behind a line end would be code.
    private static void requireOneLine(String name) {
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            if (c == '\0' || c == '\n' || c == '\r') {
                throw new IllegalArgumentException(String.format(Locale.ROOT, "name=\"%s\" has a %s at index=%d",
                        name.substring(0, i), c == '\0' ? "NUL" : "line end", i));
            }
        }
    }

    private void appendHeader(String header, String file, int lineNumber) {
        if (!seen.add(header)) {
            return;
        }
        String code = headers.apply(header);
        if (code == null) {
            throw new IllegalArgumentException(
                    "no such OpenCL header: include=" + header + ", at " + file + ":" + lineNumber);
        }
        append(header, code);
    }

    private void line(int number, String file) {
        String quoted = file.replace("\\", "\\\\").replace("\"", "\\\"");
        out.append("#line ").append(number).append(" \"").append(quoted).append("\"\n");
    }

    /// Whether a block comment is open after `line`; an include inside one is text, not an include.
    private static boolean endsInComment(String line, boolean inComment) {
        boolean open = inComment;
        boolean quoted = false;
        for (int i = 0; i < line.length(); i++) {
            if (open) {
                if (line.startsWith("*/", i)) {
                    open = false;
                    i++;
                }
            } else if (line.charAt(i) == '"' && (i == 0 || line.charAt(i - 1) != '\\')) {
                quoted = !quoted;
            } else if (!quoted && line.startsWith("//", i)) {
                return false;
            } else if (!quoted && line.startsWith("/*", i)) {
                open = true;
                i++;
            }
        }
        return open;
    }
}
