package io.github.hmm4j.timeline;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The events of a trace file, read as JSON by the book: anything else is an error that says where.
public final class TraceEvents {

    private final String text;
    private int at;

    private TraceEvents(String text) {
        this.text = text;
    }

    /// All events of a complete file, in its order.
    public static List<Map<String, Object>> of(Path file) throws IOException {
        return parse(Files.readString(file));
    }

    static List<Map<String, Object>> parse(String text) {
        TraceEvents reader = new TraceEvents(text);
        List<Map<String, Object>> events = new ArrayList<>();
        for (Object event : (List<?>) reader.value()) {
            events.add(object(event));
        }
        reader.blanks();
        if (reader.at != text.length()) {
            throw reader.wrong("nothing more");
        }
        return events;
    }

    /// Those of a category and a phase (`X` slices, `C` counters, ...).
    public static List<Map<String, Object>> some(List<Map<String, Object>> events, String category, String phase) {
        return events.stream().filter(event -> category.equals(event.get("cat")) && phase.equals(event.get("ph"))).toList();
    }

    /// An argument of an event that is a number.
    public static long number(Map<String, Object> event, String argument) {
        Object value = object(event.get("args")).get(argument);
        if (value instanceof Double number) {
            return number.longValue();
        }
        throw new IllegalArgumentException("argument=" + argument + " of " + event);
    }

    public static String text(Map<String, Object> event, String argument) {
        return object(event.get("args")).get(argument).toString();
    }

    public static long sum(List<Map<String, Object>> events, String argument) {
        return events.stream().mapToLong(event -> number(event, argument)).sum();
    }

    public static double micros(Map<String, Object> event, String member) {
        return (Double) event.get(member);
    }

    @SuppressWarnings("unchecked") // the parser makes no other maps
    private static Map<String, Object> object(Object value) {
        return (Map<String, Object>) value;
    }

    private Object value() {
        blanks();
        return switch (text.charAt(at)) {
            case '{' -> object();
            case '[' -> array();
            case '"' -> string();
            default -> literal();
        };
    }

    private Map<String, Object> object() {
        Map<String, Object> members = new LinkedHashMap<>();
        take('{');
        while (!tookIf('}')) {
            if (!members.isEmpty()) {
                take(',');
            }
            blanks();
            String name = string();
            take(':');
            if (members.put(name, value()) != null) {
                throw wrong("another member than " + name);
            }
        }
        return members;
    }

    private List<Object> array() {
        List<Object> elements = new ArrayList<>();
        take('[');
        while (!tookIf(']')) {
            if (!elements.isEmpty()) {
                take(',');
            }
            elements.add(value());
        }
        return elements;
    }

    private String string() {
        take('"');
        StringBuilder value = new StringBuilder();
        while (text.charAt(at) != '"') {
            char c = text.charAt(at++);
            if (c < ' ') {
                throw wrong("no control character");
            }
            value.append(c == '\\' ? escaped() : c);
        }
        at++;
        return value.toString();
    }

    private char escaped() {
        char c = text.charAt(at++);
        if (c == 'u') {
            at += 4;
            return (char) Integer.parseInt(text.substring(at - 4, at), 16);
        }
        if (c != '"' && c != '\\') {
            throw wrong("an escape that is written here");
        }
        return c;
    }

    private Object literal() {
        int start = at;
        while (at < text.length() && "+-.0123456789aeflrstu".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        String word = text.substring(start, at);
        if (word.equals("true") || word.equals("false")) {
            return Boolean.valueOf(word);
        }
        if (!word.matches("-?(0|[1-9][0-9]*)([.][0-9]+)?")) {
            throw wrong("a value and not '" + word + "'");
        }
        return Double.valueOf(word);
    }

    private void take(char c) {
        if (!tookIf(c)) {
            throw wrong("'" + c + "'");
        }
    }

    private boolean tookIf(char c) {
        blanks();
        if (at < text.length() && text.charAt(at) == c) {
            at++;
            return true;
        }
        return false;
    }

    private void blanks() {
        while (at < text.length() && " \n".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }

    private IllegalArgumentException wrong(String expected) {
        return new IllegalArgumentException("expected " + expected + " at " + at + ": " + text.substring(Math.max(0, at - 60), Math.min(text.length(), at + 20)));
    }
}
