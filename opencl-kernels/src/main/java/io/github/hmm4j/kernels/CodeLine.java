package io.github.hmm4j.kernels;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A line of OpenCL C.
///
/// @param text      as it is
/// @param bare      without comments
/// @param continued whether the line before ends in a backslash, so that this is more of that
record CodeLine(String text, String bare, boolean continued) {

    private static final Pattern DIRECTIVE = Pattern.compile("\\s*#\\s*(\\w+).*");

    /// The preprocessor's word that it begins with, such as `include`; empty if it is code or more of the line before.
    String directive() {
        Matcher directive = DIRECTIVE.matcher(bare);
        return !continued && directive.matches() ? directive.group(1) : "";
    }

    /// Whether the line behind is more of this one.
    boolean goesOn() {
        return text.endsWith("\\");
    }

    static List<CodeLine> of(String code) {
        List<CodeLine> lines = new ArrayList<>();
        boolean block = false;      // comments, which both go on over lines
        boolean toEnd = false;
        boolean continued = false;
        for (Iterator<String> texts = code.lines().iterator(); texts.hasNext();) {
            String text = texts.next();
            StringBuilder bare = new StringBuilder(text.length());
            char quote = 0;
            toEnd &= continued;
            for (int i = 0; i < text.length() && !toEnd; i++) {
                char c = text.charAt(i);
                if (block) {
                    if (text.startsWith("*/", i)) {
                        block = false;
                        bare.append(' ');
                        i++;
                    }
                } else if (quote != 0) {
                    bare.append(c);
                    if (c == '\\' && i + 1 < text.length()) {
                        bare.append(text.charAt(++i));
                    } else if (c == quote) {
                        quote = 0;
                    }
                } else if (text.startsWith("//", i)) {
                    toEnd = true;
                } else if (text.startsWith("/*", i)) {
                    block = true;
                    i++;
                } else {
                    quote = c == '"' || c == '\'' ? c : 0;
                    bare.append(c);
                }
            }
            lines.add(new CodeLine(text, bare.toString(), continued));
            continued = text.endsWith("\\");
        }
        return lines;
    }
}
