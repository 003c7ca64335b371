package io.github.hmm4j.kernels;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Puts headers that are known here in place of their `#include "..."` lines, each time, with `#line` around them. All
/// else is the compiler's business: conditions, what includes guard, and headers that are not known here.
final class Includes {

    /// Finds headers.
    @FunctionalInterface
    interface Finder {
        /// @param from the file that includes it
        /// @param name as in the include
        /// @return null if it is not known here
        @Nullable Header find(Header from, String name);
    }

    private static final Pattern INCLUDE = Pattern.compile("\\s*#\\s*include\\s*\"([^\"]*)\"\\s*");
    private static final Set<String> INCLUDING = Set.of("include", "include_next", "import", "embed");
    private static final Set<String> BRANCH_ENDS = Set.of("else", "elif", "elifdef", "elifndef", "endif");

    /// Headers that include each other twice double the text at each step.
    private static final int MOST_CHARS = 16 << 20;

    private final Finder finder;
    private final Deque<Header> open = new ArrayDeque<>(); // what is being put in place, the innermost first
    private final Map<String, Integer> once = new HashMap<>(); // by place: the number in the name of its guard
    private final StringBuilder out = new StringBuilder();
    private boolean leavesIncludes;

    private Includes(Finder finder) {
        this.finder = finder;
    }

    /// What is left of a program.
    ///
    /// @param leavesIncludes whether the compiler still has something to include
    record Joined(String text, boolean leavesIncludes) {}

    static Joined join(Header program, Finder finder) {
        requireOneLine(program.name());
        var includes = new Includes(finder);
        requireNoNul(program);
        includes.append(program, CodeLine.of(program.code()), false);
        return new Joined(includes.out.toString(), includes.leavesIncludes);
    }

    private void append(Header file, List<CodeLine> lines, boolean isOnce) {
        open.push(file);
        line(1, file.name());
        boolean shifted = false;
        for (int i = 0; i < lines.size(); i++) {
            CodeLine line = lines.get(i);
            String directive = line.directive();
            Header header = directive.equals("include") ? find(file, line) : null;
            if (header != null) {
                put(header, file.name(), i + 1);
                line(i + 2, file.name());
                shifted = true;
            } else {
                leavesIncludes |= INCLUDING.contains(directive);
                out.append(isOnce && Header.isPragmaOnce(line) ? "" : line.text()).append('\n');
                if (shifted && BRANCH_ENDS.contains(directive) && !line.goesOn()) {
                    line(i + 2, file.name()); // the compiler has not seen those in the branch that it left out
                }
            }
        }
        open.pop();
    }

    private @Nullable Header find(Header file, CodeLine line) {
        Matcher include = INCLUDE.matcher(line.bare());
        return include.matches() ? finder.find(file, include.group(1)) : null;
    }

    private void put(Header header, String from, int lineNumber) {
        requireNoNul(header);
        List<CodeLine> lines = CodeLine.of(header.code());
        boolean isOnce = Header.isOnce(lines);
        if (open.stream().anyMatch(each -> each.place().equals(header.place()))) {
            // an error where it is compiled, and none in a branch that is not
            if (!isOnce && !Header.isGuarded(lines)) {
                line(lineNumber, from);
                out.append("#error ").append(header.name())
                        .append(" includes itself, and has neither a guard nor #pragma once\n");
            }
            return;
        }
        if (out.length() + header.code().length() > MOST_CHARS) {
            throw new IllegalArgumentException(
                    String.format(Locale.ROOT, "the program has more than %d characters with its headers: include=%s, at %s:%d",
                            MOST_CHARS, header.name(), from, lineNumber));
        }
        if (isOnce) { // which the compiler heeds in files only
            String guard = "HMM_INCLUDED_ONCE_" + once.computeIfAbsent(header.place(), _ -> once.size());
            out.append("#ifndef ").append(guard).append("\n#define ").append(guard).append('\n');
        }
        append(header, lines, isOnce);
        if (isOnce) {
            out.append("#endif\n");
        }
    }

    /// A compiler takes the program as a C string and would compile what is in front.
    private static void requireNoNul(Header file) {
        int at = file.code().indexOf('\0');
        if (at >= 0) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "a NUL at index=%d of %s, line %d, would end the program there",
                    at, file.name(), file.code().substring(0, at + 1).lines().count()));
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

    private void line(int number, String file) {
        String quoted = file.replace("\\", "\\\\").replace("\"", "\\\"");
        out.append("#line ").append(number).append(" \"").append(quoted).append("\"\n");
    }
}
