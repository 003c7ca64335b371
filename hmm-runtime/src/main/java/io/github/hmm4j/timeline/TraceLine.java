package io.github.hmm4j.timeline;

import java.io.IOException;
import java.io.Writer;
import java.util.Locale;

/// One trace event as JSON, put together member by member. Used again for every event, by one thread.
final class TraceLine {

    private final StringBuilder json = new StringBuilder(512);
    private boolean inArguments;

    TraceLine begin(String phase, String name, String category) {
        json.setLength(0);
        inArguments = false;
        json.append("{\"ph\":\"").append(phase).append('"');
        text("name", name);
        return category.isEmpty() ? this : text("cat", category);
    }

    TraceLine text(String member, String value) {
        member(member);
        string(value);
        return this;
    }

    TraceLine number(String member, long value) {
        member(member);
        json.append(value);
        return this;
    }

    /// The format counts in microseconds; the fraction keeps the nanoseconds.
    TraceLine micros(String member, long nanos) {
        member(member);
        long size = Math.abs(nanos);
        json.append(nanos < 0 ? "-" : "").append(size / 1000).append('.');
        long fraction = size % 1000;
        json.append(fraction < 100 ? "0" : "").append(fraction < 10 ? "0" : "").append(fraction);
        return this;
    }

    TraceLine argument(String name, String value) {
        startArguments();
        return text(name, value);
    }

    TraceLine argument(String name, long value) {
        startArguments();
        return number(name, value);
    }

    /// Stacked on each other by those who show them.
    TraceLine counters(long onlyHere, long alsoElsewhere) {
        return argument("only here", onlyHere).argument("also elsewhere", alsoElsewhere);
    }

    /// Every field of an event that is known, under its own name.
    TraceLine arguments(TimelineEvent event) {
        for (EventField field : EventField.of(event.getClass())) {
            Object value = field.valueOf(event);
            switch (value) {
                case Long number when number == TimelineEvent.UNKNOWN -> startArguments();
                case Number number -> argument(field.name(), number.longValue());
                default -> argument(field.name(), value.toString());
            }
        }
        return this;
    }

    void writeTo(Writer out) throws IOException {
        json.append(inArguments ? "}}" : "}");
        out.append(json);
    }

    private void startArguments() {
        if (!inArguments) {
            inArguments = true;
            json.append(",\"args\":{");
        }
    }

    private void member(String name) {
        if (json.charAt(json.length() - 1) != '{') {
            json.append(',');
        }
        string(name);
        json.append(':');
    }

    /// Everything that is not printable ASCII is escaped.
    private void string(String text) {
        json.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                json.append('\\').append(c);
            } else if (c >= ' ' && c < 127) {
                json.append(c);
            } else {
                json.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
            }
        }
        json.append('"');
    }
}
