package io.github.hmm4j.kernels;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A file of a program: the program's own, or a header.
///
/// @param name  what compiler messages call it
/// @param place where it lies, the same for all ways to name it: a path, to which names in its includes are relative
/// @param code  its text
record Header(String name, String place, String code) {

    private static final Pattern GUARD =
            Pattern.compile("\\s*#\\s*(?:ifndef\\s+(\\w+)|if\\s*!\\s*defined\\s*\\(?\\s*(\\w+)\\s*\\)?)\\s*");
    private static final Pattern DEFINE = Pattern.compile("\\s*#\\s*define\\s+(\\w+)\\b.*");
    private static final Pattern ONCE = Pattern.compile("\\s*#\\s*pragma\\s+once\\b.*");

    /// Where a header lies that is named in this file, if it lies beside it.
    String beside(String header) {
        return place.substring(0, place.lastIndexOf('/') + 1) + header;
    }

    /// What such a header is called.
    String nameBeside(String header) {
        return name.substring(0, name.lastIndexOf('/') + 1) + header;
    }

    /// Whether it says itself that it is to be included once (`#pragma once`).
    static boolean isOnce(List<CodeLine> lines) {
        return lines.stream().anyMatch(Header::isPragmaOnce);
    }

    static boolean isPragmaOnce(CodeLine line) {
        return !line.continued() && ONCE.matcher(line.bare()).matches();
    }

    /// Whether all of it stands between `#ifndef NAME`, `#define NAME` and `#endif`.
    static boolean isGuarded(List<CodeLine> lines) {
        List<CodeLine> filled = lines.stream().filter(line -> !line.bare().isBlank()).toList();
        if (filled.size() < 3) {
            return false;
        }
        Matcher guard = GUARD.matcher(filled.getFirst().bare());
        Matcher define = DEFINE.matcher(filled.get(1).bare());
        if (!guard.matches() || !define.matches()) {
            return false;
        }
        String name = guard.group(1) == null ? guard.group(2) : guard.group(1);
        return define.group(1).equals(name) && filled.getLast().directive().equals("endif");
    }
}
