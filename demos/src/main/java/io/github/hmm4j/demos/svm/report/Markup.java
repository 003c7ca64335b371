package io.github.hmm4j.demos.svm.report;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;

/// Writes HTML and SVG that is also well-formed XML: every text escaped, every element closed, every number finite.
final class Markup {
    private final StringBuilder text = new StringBuilder();
    private final Deque<String> open = new ArrayDeque<>();

    /// @param attributes names and values in turn; a `Double` is written with at most two decimals
    /// @throws IllegalArgumentException if a number is not finite: no picture can show it
    Markup open(String name, Object... attributes) {
        start(name, attributes);
        text.append('>');
        open.push(name);
        return this;
    }

    /// Ends the element that was opened last.
    Markup close() {
        text.append("</").append(open.pop()).append('>');
        return this;
    }

    /// As [#close], with a line feed after it.
    Markup closeLine() {
        close();
        text.append('\n');
        return this;
    }

    /// An element without content, of those that have none.
    Markup empty(String name, Object... attributes) {
        start(name, attributes);
        text.append("/>");
        return this;
    }

    Markup element(String name, String content, Object... attributes) {
        return open(name, attributes).text(content).close();
    }

    Markup text(String content) {
        for (int i = 0; i < content.length(); i++) {
            appendEscaped(content.charAt(i));
        }
        return this;
    }

    /// What another of this class has written.
    Markup add(String markup) {
        text.append(markup);
        return this;
    }

    /// All of it.
    ///
    /// @throws IllegalStateException if an element is still open
    String done() {
        if (!open.isEmpty()) {
            throw new IllegalStateException("not closed: " + open);
        }
        return text.toString();
    }

    static String number(double number) {
        if (!Double.isFinite(number)) {
            throw new IllegalArgumentException("cannot be drawn: number=" + number);
        }
        double rounded = Math.rint(number * 100) / 100;
        return rounded == Math.rint(rounded) ? Long.toString((long) rounded) : String.format(Locale.ROOT, "%s", rounded);
    }

    private void start(String name, Object... attributes) {
        if (attributes.length % 2 != 0) {
            throw new IllegalArgumentException("an attribute of " + name + " has no value");
        }
        text.append('<').append(name);
        for (int i = 0; i < attributes.length; i += 2) {
            Object value = attributes[i + 1];
            text.append(' ').append(attributes[i]).append("=\"");
            text(value instanceof Double number ? number(number) : value.toString());
            text.append('"');
        }
    }

    /// XML has no way to write most control characters, and names that come from a driver may hold any.
    private void appendEscaped(char each) {
        switch (each) {
            case '&' -> text.append("&amp;");
            case '<' -> text.append("&lt;");
            case '>' -> text.append("&gt;");
            case '"' -> text.append("&quot;");
            default -> text.append((each < ' ' && each != '\n') || each == 0x7f || each >= 0xfffe ? ' ' : each);
        }
    }
}
