package io.github.hmm4j.demos.report;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Writes JSON, and nothing else: records, maps, collections, strings, numbers, booleans, enums, optionals and null.
///
/// Record components and map entries keep their order. Numbers that JSON lacks (NaN, infinities) become `null`, an
/// empty optional too; an enum is its `toString`. Everything that is not ASCII is escaped, so any reader of any charset
/// reads the same.
public final class Json {
    private Json() {}

    /// `value` on one line.
    ///
    /// @throws IllegalArgumentException if a value of another type is met
    public static String line(@Nullable Object value) {
        StringBuilder json = new StringBuilder();
        append(json, value);
        return json.toString();
    }

    /// An array of `values`, one element a line, ended by a line feed.
    public static String lines(List<?> values) {
        StringBuilder json = new StringBuilder("[");
        String separator = "\n";
        for (Object value : values) {
            json.append(separator);
            append(json, value);
            separator = ",\n";
        }
        return json.append("\n]\n").toString();
    }

    private static void append(StringBuilder json, @Nullable Object value) {
        switch (value) {
            case null -> json.append("null");
            case Optional<?> optional -> append(json, optional.orElse(null));
            case CharSequence text -> appendString(json, text);
            case Enum<?> constant -> appendString(json, constant.toString());
            case Double number -> json.append(Double.isFinite(number) ? number.toString() : "null");
            case Float number -> json.append(Float.isFinite(number) ? number.toString() : "null");
            case Number number -> json.append(number);
            case Boolean bool -> json.append(bool.booleanValue());
            case Map<?, ?> map -> appendObject(json, map);
            case Iterable<?> elements -> appendArray(json, elements);
            case Record record -> appendObject(json, components(record));
            default -> throw new IllegalArgumentException("cannot be written as JSON: class="
                + value.getClass().getName());
        }
    }

    private static void appendObject(StringBuilder json, Map<?, ?> map) {
        json.append('{');
        String separator = "";
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            json.append(separator);
            appendString(json, String.valueOf(entry.getKey()));
            json.append(": ");
            append(json, entry.getValue());
            separator = ", ";
        }
        json.append('}');
    }

    private static void appendArray(StringBuilder json, Iterable<?> elements) {
        json.append('[');
        Iterator<?> each = elements.iterator();
        while (each.hasNext()) {
            append(json, each.next());
            json.append(each.hasNext() ? ", " : "");
        }
        json.append(']');
    }

    /// The components of a record by name, in their order.
    private static Map<String, @Nullable Object> components(Record record) {
        Map<String, @Nullable Object> components = new LinkedHashMap<>();
        for (RecordComponent component : record.getClass().getRecordComponents()) {
            try {
                component.getAccessor().setAccessible(true);
                components.put(component.getName(), component.getAccessor().invoke(record));
            } catch (IllegalAccessException | InvocationTargetException e) {
                throw new IllegalStateException("record=" + record.getClass().getName(), e);
            }
        }
        return components;
    }

    private static void appendString(StringBuilder json, CharSequence text) {
        json.append('"');
        for (int i = 0; i < text.length(); i++) {
            char each = text.charAt(i);
            switch (each) {
                case '"' -> json.append("\\\"");
                case '\\' -> json.append("\\\\");
                case '\n' -> json.append("\\n");
                case '\r' -> json.append("\\r");
                case '\t' -> json.append("\\t");
                default -> {
                    if (each >= ' ' && each < 127) {
                        json.append(each);
                    } else {
                        json.append("\\u").append(String.format(Locale.ROOT, "%04x", (int) each));
                    }
                }
            }
        }
        json.append('"');
    }
}
